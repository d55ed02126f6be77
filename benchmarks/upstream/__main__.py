"""Runs the tests of Qiskit's BasicAer against aerjob; see the README beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

_TESTS = Path("test") / "python" / "basicaer"


def main(folders: list[str]) -> int:
    """Run the tests of each unpacked release, in a process and a store of its own; give 1 if any of them failed."""
    if not folders:
        print("usage: python -m benchmarks.upstream FOLDER…  (each an unpacked source of qiskit-terra)")
        return 2
    return max(_run_apart(Path(folder).resolve()) for folder in folders)


def _run_apart(release: Path) -> int:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AERJOB_HOME": str(Path(home) / "store")}
        code = f"from benchmarks.upstream.__main__ import run; raise SystemExit(run({str(release)!r}))"
        failed = subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode != 0
        subprocess.run([sys.executable, "-m", "aerjob_cli", "worker", "stop"], env=environment, check=False)
    return int(failed)


def run(release: str) -> int:
    """Run the tests of one release in this process."""
    import pytest

    from benchmarks.upstream.shim import install

    print(f"== {Path(release).name}")
    install(Path(release))
    # Nothing of this project's own settings for tests, and none of the release's files but its tests.
    return int(
        pytest.main(
            [str(Path(release) / _TESTS), "-c", os.devnull, "--rootdir", release, "--import-mode=importlib", "-q"]
        )
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
