"""Names, tags, keys and ids that are SQL, patterns or paths stay what they are: texts."""

from __future__ import annotations

from tests.cli.conftest import Put, Quick
from tests.cli.conftest import idle as idle
from tests.cli.conftest import put as put
from tests.cli.conftest import quick as quick

VERBS = ("status", "show", "cancel", "rm", "retry", "result")
NAMES = (
    "'; DROP TABLE jobs; --",
    '"; DELETE FROM jobs; --',
    "' OR '1'='1",
    "x' UNION SELECT sql FROM sqlite_master --",
    "\\'; UPDATE jobs SET status = 'DONE'; --",
    ":seq",
    "?1",
    "%(name)s",
    "%",
    "_",
    "[!x]",
    "../../etc/passwd",
    "$(id)",
    "`id`",
    "{0.__class__}",
    "-- ",
    "/*",
)


def test_they_are_stored_found_and_shown_as_they_are(quick: Quick, put: Put) -> None:
    jobs = [put(name=name, tags=(name,), idempotency_key=name) for name in NAMES]
    other = put(name="other", tags=("other",))
    for job, name in zip(jobs, NAMES, strict=True):
        (shown,) = quick.json("list", "--tag", name)["jobs"]
        assert (shown["job_id"], shown["name"], shown["tags"]) == (job.job_id, name, [name])
        assert put(name=name, tags=(name,), idempotency_key=name).job_id == job.job_id
    assert len(quick.json("list", "--all")["jobs"]) == len(NAMES) + 1
    assert quick.json("show", other.job_id)["name"] == "other"


def test_as_ids_and_filters_they_find_nothing_and_change_nothing(quick: Quick, put: Put) -> None:
    job = put(name="job", tags=("tag",))
    for number, name in enumerate(NAMES):
        # The verbs take turns: what they do with an id is the same.
        verb = VERBS[number % len(VERBS)]
        exit_code, stdout, stderr = quick(verb, "--", name)
        assert (exit_code, stdout, len(stderr.splitlines())) == (3, "", 1), (verb, name)
        assert quick.json("list", f"--tag={name}")["jobs"] == [], name
        assert quick.json("list", f"--name={name}")["jobs"] == [], name
        assert quick("cancel", f"--tag={name}")[0] == 3, name
        assert quick("list", f"--sort={name}")[0] == 2, name
    assert quick.json("show", job.job_id)["status"] == "INITIALIZING"
    assert quick.json("store", "check")["problems"] == []
