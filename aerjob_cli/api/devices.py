"""Devices by name, for their noise, gates and couplings: those that `qiskit-ibm-runtime` describes, and a generic one.

The descriptions are data in that package (the extra ``fake``); nothing is asked over a network.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from aerjob_cli.api.run_inputs import device_of
from aerjob_cli.codec import noise_models
from aerjob_cli.errors import InputRefused, brief

_PACKAGE = "qiskit_ibm_runtime.fake_provider"
_CLASS = re.compile(r"Fake(\w+?)(?:V2)?")
# A line of qubits with Qiskit's invented but plausible errors, the same ones each time.
_GENERIC = re.compile(r"generic[-_]?([0-9]{1,3})")
_GENERIC_SEED = 42
_GENERIC_QUBITS = range(2, 128)  # fewer have no coupling, which it does not do without
_EXAMPLE = "generic-5"


def device_named(name: str) -> bytes:
    """Give what circuits run under on a device, as it is stored; raises ``InputRefused`` for an unknown name.

    ``generic-5`` is a line of 5 qubits by Qiskit's ``GenericBackendV2``. Any other name is one of the fake backends of
    ``qiskit-ibm-runtime``, as ``sherbrooke``, ``fake_sherbrooke`` or ``FakeSherbrooke``.
    """
    generic = _GENERIC.fullmatch(name.lower())
    device = _generic(name, int(generic[1])) if generic is not None else _fake(name)
    return noise_models.encode(device_of(device))


def _generic(name: str, qubits: int) -> Any:
    if qubits not in _GENERIC_QUBITS:
        limits = f"{_GENERIC_QUBITS.start} to {_GENERIC_QUBITS.stop - 1}"
        raise InputRefused(f"{brief(name)} has {qubits} qubits; a generic device has {limits}")
    from qiskit.providers.fake_provider import GenericBackendV2
    from qiskit.transpiler import CouplingMap

    return GenericBackendV2(qubits, coupling_map=CouplingMap.from_line(qubits), seed=_GENERIC_SEED)


def _fake(name: str) -> Any:
    known = _fake_devices()
    wanted = _plain(name)
    if wanted not in known:
        near = difflib.get_close_matches(wanted, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there is {_EXAMPLE}, and {', '.join(sorted(known))}"
        raise InputRefused(f"no device is called {brief(name)}; {hint}")
    return known[wanted]()


def _fake_devices() -> Mapping[str, Any]:
    try:
        package = import_module(_PACKAGE)
    except ImportError:
        raise InputRefused(
            "devices are described by qiskit-ibm-runtime, which is not installed; pip install 'aerjob-cli[fake]' "
            f"installs it, and {_EXAMPLE} is there without it"
        ) from None
    found = {}
    for name in dir(package):
        kind = getattr(package, name)
        if _CLASS.fullmatch(name) and isinstance(kind, type) and hasattr(kind, "target"):
            found[_plain(name)] = kind
    return found


def _plain(name: str) -> str:
    """Give a name as its letters and digits only, so that every way of writing it is one."""
    letters = "".join(character for character in name.lower() if character.isalnum())
    return letters.removeprefix("fake").removesuffix("v2")
