"""What was sampled of a process is counted by aerjob's innermost function and the library that it had called."""

from __future__ import annotations

from benchmarks.profile.stacks import parse, table_of

_STACKS = """\
<module> (/x/aerjob_cli/w/main.py:48);commit (/x/aerjob_cli/store/a.py:3) 6
<module> (/x/aerjob_cli/w/main.py:48);claim (/x/aerjob_cli/store/b.py:1);execute (/site-packages/sqlalchemy/b.py:7) 3
<module> (/x/aerjob_cli/w/main.py:48);wait (/x/aerjob_cli/w/w.py:1);select (/lib/selectors.py:9) 1
Thread._bootstrap (/usr/lib/python3.11/threading.py:1002);_worker (/lib/concurrent/futures/thread.py:81) 10
"""


def test_a_table_says_which_function_was_in_which_library() -> None:
    table = table_of("worker", parse(_STACKS.splitlines()), seconds=2.0, jobs=1000)
    assert [(row.part, row.share) for row in table.rows] == [
        ("store/a.py commit", 0.6),
        ("store/b.py claim → sqlalchemy", 0.3),
        ("w/w.py wait → selectors", 0.1),
    ]
    assert [round(row.spent) for row in table.rows] == [1200, 600, 200]
