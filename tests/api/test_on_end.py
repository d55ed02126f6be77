"""``on_end``: a command that the job keeps for its end, whatever the job is made by."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit

from aerjob_cli import BasicAerProvider, DurableSampler
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import RunRefused


def test_each_way_to_run_takes_one(idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    jobs = [
        idle_backend.run(bell, on_end="one"),
        *idle_backend.run_many([bell, bell], on_end="two", each=[{}, {"on_end": "three"}]),
        DurableSampler(idle).run([bell], on_end="four"),
        idle_backend.run(bell),
    ]
    assert [idle.client.find(job.job_id()).on_end for job in jobs] == ["one", "two", "three", "four", None]
    jobs[0].cancel()
    (again,) = idle.client.retry([idle.client.find(jobs[0].job_id())])
    assert again.on_end == "one"


@pytest.mark.parametrize("command", ["", "\t", "x" * 4097, "a\0b", 7])
def test_what_is_no_command_is_refused(idle_backend: BasicAerBackend, bell: QuantumCircuit, command: str) -> None:
    with pytest.raises(RunRefused, match="on_end"):
        idle_backend.run(bell, on_end=command)
