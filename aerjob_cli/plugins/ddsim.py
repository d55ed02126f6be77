"""The simulator that comes with the extra ``ddsim``: MQT DDSIM, which keeps states as decision diagrams.

Aerjob registers it as any other distribution would, by an entry point; ``engines.ddsim`` is its engine.
"""

from __future__ import annotations

from aerjob_cli.catalog import Option, Simulator

_STEPS_LIMIT = 2**31 - 1

SIMULATOR = Simulator(
    name="ddsim_simulator",
    engine="aerjob_cli.engines.ddsim:DdsimEngine",
    method="decision_diagram",
    methods=("decision_diagram",),
    returns="counts",
    description="MQT DDSIM: states as decision diagrams, small where a circuit has structure",
    may_give_state=True,
    # The library walks its diagrams by recursion: 20,000 qubits go well, with 60,000 the stack overflows.
    max_qubits=10_000,
    options={
        "approximation_step_fidelity": Option(float, 0.0, 1.0),
        "approximation_steps": Option(int, 1, _STEPS_LIMIT),
        "approximation_strategy": Option(str, words=("fidelity", "memory")),
    },
    needs="mqt-ddsim",
    remedy="pip install 'aerjob-cli[ddsim]'",
)
