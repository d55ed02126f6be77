"""The command: `python -m benchmarks.profile` shows where the time of a job goes.

First by process, for many small jobs; then inside worker and executors, where py-spy is installed; then for one job.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.arguments import counting_number
from benchmarks.durable_jobs import DurableJobs
from benchmarks.figures import machine
from benchmarks.profile.by_process import spent_by_processes
from benchmarks.profile.one_job import way_of_one_job
from benchmarks.profile.sampling import sampled, sampler
from benchmarks.profile.table import Table
from benchmarks.site import end_on_sigterm, site_in


def main(arguments: list[str]) -> int:
    """Profile many jobs and one job, and print a table of each."""
    if sys.platform != "linux":
        print("the profile is read from Linux's /proc; measure on Linux", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--jobs", type=counting_number, default=1000, help="how many small jobs (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables to this file")
    options = parser.parse_args(arguments)
    end_on_sigterm()
    machine.compile_all()
    with tempfile.TemporaryDirectory(prefix="aerjob-profile-") as folder:
        tables = _tables(Path(folder), options.jobs)
    print("\n\n".join("\n".join(table.lines()) for table in tables))
    if options.json is not None:
        told = {"machine": machine.facts(), "tables": [table.as_json() for table in tables]}
        options.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0


def _tables(folder: Path, jobs: int) -> list[Table]:
    with site_in(folder / "home") as site:
        site.start_worker()
        durable = DurableJobs(site)
        tables = [spent_by_processes(durable, jobs, seed=1)]
        if (program := sampler()) is None:
            print("py-spy is not installed, so worker and executors are not looked into", file=sys.stderr)
        else:
            tables += sampled(durable, jobs, seed=2, program=program, folder=folder)
        return [*tables, way_of_one_job(durable)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
