"""The page on primitives: its programs run one after the other, and its shell command gives what it should."""

from __future__ import annotations

import shlex
import subprocess
import sys

from tests.docs.conftest import Environment
from tests.docs.markdown import ROOT, code_blocks, text_of
from tests.support.command_line import CommandLine

PAGE = "docs/primitives.md"


def test_the_programs_do_what_the_page_says(script_environment: Environment, aerjob: CommandLine) -> None:
    submit, retrieve, loop, sampler = code_blocks(text_of(PAGE), "python")

    def printed(program: str) -> str:
        return subprocess.run(
            [sys.executable, "-c", program],
            env=script_environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout

    job_id = printed(submit).strip()
    values = [float(word) for word in printed(retrieve.replace("…", job_id) + sampler).strip("[]\n").split()]
    assert len(values) == 10
    assert max(map(abs, values)) < 1.6
    # The circuit is that of the first program. Started again, the loop runs nothing.
    whole = submit.partition("points =")[0] + loop
    energy = printed(whole)
    assert float(energy) < -1.0
    before = aerjob("list", "--all").stdout
    assert printed(whole) == energy
    assert aerjob("list", "--all").stdout == before
    (command,) = code_blocks(text_of(PAGE), "sh")
    done = aerjob.shell(f"cd {shlex.quote(str(ROOT))}\n{command}")
    value, std = map(float, done.stdout.split())
    assert abs(value - 1.5) < 0.1
    assert std == 0.01
