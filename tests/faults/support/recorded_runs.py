"""Runs of aerjob on a new store, recorded with all that they write and sync: without a worker, and with one."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tests.faults.support.disk_trace import Event, record
from tests.faults.support.power_cuts import Recording
from tests.support.circuits import BELL, layers
from tests.support.command_line import CommandLine

# A client as a program has it, without a worker: nobody else's sync makes its jobs durable. It prints an id as soon as
# the job is accepted.
SUBMIT = """
import os, sys
from pathlib import Path
{before}
from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.settings import Settings, StorePaths
client = Client(Settings(paths=StorePaths(Path(os.environ["AERJOB_HOME"]))))
client._launcher.call = lambda: None
for name in sys.argv[1:]:
    circuits = (CircuitBytes(name, "openqasm2", Path(name).read_bytes()),)
    (job,) = client.submit([Request(circuits=circuits, backend="qasm_simulator", seed=7{key})])
    os.write(1, (job.job_id + chr(10)).encode())
client.close()
"""


# The commands of a user, a worker, and a reader that says so as soon as it sees a job DONE.
SESSION = """
import os, subprocess, sys
from pathlib import Path
from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.states import Status
aerjob = [sys.executable, "-m", "aerjob_cli"]
subprocess.run([*aerjob, "submit", "bell.qasm", "large.qasm", "--seed", "3"], check=True)
client = Client(Settings(paths=StorePaths(Path(os.environ["AERJOB_HOME"]))))
circuits = (CircuitBytes("state", "openqasm2", Path("state.qasm").read_bytes()),)
(state,) = client.submit([Request(circuits=circuits, backend="statevector_simulator", seed=3)])
os.write(1, (state.job_id + chr(10)).encode())
for job in client.wait(client.listed(JobFilter(), limit=None), timeout_s=120):
    assert job.status is Status.DONE, job
    os.write(1, f"done {job.job_id}{chr(10)}".encode())
client.close()
subprocess.run([*aerjob, "worker", "stop"], check=True, stdout=subprocess.DEVNULL)
"""


def submitter(*, before: str = "", key: str = "") -> str:
    return SUBMIT.format(before=before, key=key)


class Recorder:
    """Records commands on a store whose folder, and the one above that, do not exist yet."""

    def __init__(self, place: Path) -> None:
        self.disk = place / "disk"
        self.disk.mkdir()
        self.home = self.disk / "state" / "aerjob"
        self.line = CommandLine(self.home, place)
        self._place = place
        self.events: list[Event] = []
        self.calls: Counter[str] = Counter()
        (place / "bell.qasm").write_text(BELL)
        # The state of 15 qubits, 512 KiB, is kept in an object file, too.
        (place / "state.qasm").write_text(layers(15, 2).replace("measure q -> c;", ""))
        # Too large for the database, and so an object file.
        (place / "large.qasm").write_text(BELL + "// a comment that makes it long\n" * 10_000)

    def run(self, *command: str, inject: str | None = None) -> int:
        """Run a command and give its exit code; its events follow those of the commands before it."""
        trace = record(
            command,
            below=self.disk,
            log=self._place / "trace",
            cwd=self._place,
            environment=self.line.environment(None),
            inject=inject,
            first_line=self.line_number,
        )
        self.events += trace.events
        self.calls += trace.calls
        return trace.code

    @property
    def line_number(self) -> int:
        """Say at which line of the trace the next command will begin."""
        return self.events[-1].ended + 1 if self.events else 0

    def python(self, script: str, *arguments: str, inject: str | None = None) -> int:
        return self.run(sys.executable, "-c", script, *arguments, inject=inject)

    def recording(self, seed: int) -> Recording:
        """Give what was recorded so far, with what the store holds now; ``seed`` decides where writes tear."""
        made = Recording(self.disk, self.home, self.events, seed)
        made.require_complete()
        made.remember()
        return made
