"""How large the bonds of a matrix product state can become: what decides on the memory of that method.

Each gate on two qubits multiplies the bonds between them by at most the rank of its operator across the cut, which is 2
for a controlled gate and 4 for any other one; no bond is larger than the smaller of the two sides allows.
(G. Vidal, Phys. Rev. Lett. 91, 147902, 2003.)
"""

from __future__ import annotations

from qiskit import QuantumCircuit

_RANK_2 = frozenset({"cx", "cy", "cz", "ch", "cp", "crx", "cry", "crz", "cs", "csdg", "csx", "cu", "cu1", "cu3"}) | {
    "rzz",
    "rxx",
    "ryy",
    "rzx",
    "ecr",
}


def bond_dimensions(circuit: QuantumCircuit, *, at_most: int) -> list[int]:
    """Bound the dimension of the bond between each qubit and the next one, in the order of the circuit's qubits."""
    qubits = circuit.num_qubits
    exponents = [0] * max(0, qubits - 1)
    for instruction in circuit.data:
        if len(instruction.qubits) < 2 or instruction.name in ("barrier", "measure"):
            continue
        places = sorted(circuit.find_bit(qubit).index for qubit in instruction.qubits)
        more = 1 if instruction.name in _RANK_2 else 2
        for cut in range(places[0], places[-1]):
            exponents[cut] += more
    limit = at_most.bit_length()
    return [
        min(at_most, 2 ** min(exponent, cut + 1, qubits - cut - 1, limit)) for cut, exponent in enumerate(exponents)
    ]
