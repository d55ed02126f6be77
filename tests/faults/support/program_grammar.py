"""Random programs in OpenQASM 2 and 3, mostly by their grammars and sometimes beyond.

Sources: arXiv:1707.03429 for OpenQASM 2, https://openqasm.com/grammar/ for OpenQASM 3.
"""

from __future__ import annotations

import random

_GATES = ("h", "x", "y", "z", "s", "sdg", "t", "id", "rx", "ry", "rz", "u1", "u2", "u3", "cx", "cz", "ccx", "swap")
_PARAMETERS = {"rx": 1, "ry": 1, "rz": 1, "u1": 1, "u2": 2, "u3": 3, "p": 1, "U": 3}
_OPERANDS = {"cx": 2, "cz": 2, "swap": 2, "ccx": 3}
_FUNCTIONS = ("sin", "cos", "tan", "exp", "ln", "sqrt")
_RARELY = 0.05


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.qubits = {f"q{index}": chance.choice((1, 2, 3, 5, 8)) for index in range(chance.randint(1, 3))}
        self.bits = {f"c{index}": chance.choice((1, 2, 5, 8)) for index in range(chance.randint(1, 2))}
        self.gates: dict[str, tuple[int, int]] = {
            name: (_PARAMETERS.get(name, 0), _OPERANDS.get(name, 1)) for name in _GATES
        }

    def rarely(self) -> bool:
        return self.chance.random() < _RARELY

    def number(self) -> str:
        if self.rarely():
            return self.chance.choice(("1e308", "1e-320", "1e999", "0", "18446744073709551616", "9" * 400, "pi/0"))
        return self.chance.choice(("pi", "0.5", "2", "1e-3", f"{self.chance.uniform(0, 7):.3f}"))

    def expression(self, names: tuple[str, ...] = (), depth: int = 0) -> str:
        if depth > 4 or self.chance.random() < 0.4:
            return self.chance.choice((*names, self.number())) if names else self.number()
        kind = self.chance.randrange(4)
        first = self.expression(names, depth + 1)
        if kind == 0:
            return f"-{first}"
        if kind == 1:
            return f"({first})"
        if kind == 2:
            return f"{self.chance.choice(_FUNCTIONS)}({first})"
        return f"{first} {self.chance.choice('+-*/^')} {self.expression(names, depth + 1)}"

    def operand(self, registers: dict[str, int]) -> str:
        name = self.chance.choice(list(registers))
        if self.chance.random() < 0.1:
            return name
        beyond = self.chance.choice((1, 10**6, 2**64)) if self.rarely() else 0
        return f"{name}[{self.chance.randrange(registers[name]) + beyond}]"

    def call(self, operands: list[str], names: tuple[str, ...] = ()) -> str:
        gate = self.chance.choice(list(self.gates))
        parameters, arity = self.gates[gate]
        parameters += self.chance.choice((-1, 1)) if self.rarely() else 0
        arity += 1 if self.rarely() else 0
        values = ", ".join(self.expression(names) for _ in range(max(0, parameters)))
        chosen = list(dict.fromkeys(operands))
        self.chance.shuffle(chosen)
        wires = ", ".join(chosen[: max(1, arity)])
        return f"{gate}({values}) {wires};" if values else f"{gate} {wires};"

    def applied(self) -> str:
        return self.call([self.operand(self.qubits) for _ in range(8)])


def openqasm2(chance: random.Random) -> bytes:
    """Write a program in OpenQASM 2."""
    writer = _Writer(chance)
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";']
    if writer.rarely():
        lines[1] = chance.choice(("", 'include "qelib1.inc";' * 2, 'include "/etc/passwd";', 'include "../x.inc";'))
    lines += [f"qreg {name}[{size}];" for name, size in writer.qubits.items()]
    lines += [f"creg {name}[{size}];" for name, size in writer.bits.items()]
    for index in range(chance.randint(0, 3)):
        parameters, arity = chance.randint(0, 2), chance.randint(1, 3)
        names, wires = tuple(f"p{at}" for at in range(parameters)), [f"w{at}" for at in range(arity)]
        head = f"gate g{index}({', '.join(names)}) {', '.join(wires)}"
        body = " ".join(writer.call(wires, names) for _ in range(chance.randint(0, 4)))
        lines.append(f"opaque o{index} a, b;" if writer.rarely() else f"{head} {{ {body} }}")
        writer.gates[f"g{index}"] = (parameters, arity)
    for _ in range(chance.randint(0, 12)):
        kind = chance.random()
        if kind < 0.6:
            lines.append(writer.applied())
        elif kind < 0.75:
            lines.append(f"measure {writer.operand(writer.qubits)} -> {writer.operand(writer.bits)};")
        elif kind < 0.85:
            value = 2**70 if writer.rarely() else chance.randrange(8)
            lines.append(f"if ({chance.choice(list(writer.bits))} == {value}) {writer.applied()}")
        elif kind < 0.95:
            lines.append(f"{chance.choice(('barrier', 'reset'))} {writer.operand(writer.qubits)};")
        else:
            lines.append(chance.choice(("// a comment \u202e", "", ";", "barrier;", "pragma x;", "h;", "}")))
    return "\n".join(lines).encode()


def openqasm3(chance: random.Random) -> bytes:
    """Write a program in OpenQASM 3."""
    writer = _Writer(chance)
    lines = [chance.choice(("OPENQASM 3;", "OPENQASM 3.0;", "OPENQASM 3.1;")), 'include "stdgates.inc";']
    if writer.rarely():
        lines[1] = chance.choice(("", 'include "stdgates.inc";' * 2, 'include "/etc/passwd";', 'include "";'))
    lines += [f"qubit[{size}] {name};" for name, size in writer.qubits.items()]
    lines += [f"bit[{size}] {name};" for name, size in writer.bits.items()]
    for index in range(chance.randint(0, 2)):
        names, wires = tuple(f"p{at}" for at in range(chance.randint(0, 2))), ["w0", "w1"]
        head = f"gate g{index}({', '.join(names)}) w0, w1" if names else f"gate g{index} w0, w1"
        lines.append(f"{head} {{ {' '.join(writer.call(wires, names) for _ in range(chance.randint(0, 3)))} }}")
        writer.gates[f"g{index}"] = (len(names), 2)
    lines += [_statement3(writer, 0) for _ in range(chance.randint(0, 8))]
    if chance.random() < 0.7:
        lines.append(f"{writer.operand(writer.bits)} = measure {writer.operand(writer.qubits)};")
    return "\n".join(lines).encode()


def _statement3(writer: _Writer, depth: int) -> str:
    chance = writer.chance
    kind = chance.random() if depth < 4 else 0.0
    bit = writer.operand(writer.bits)
    if kind < 0.5:
        modifier = chance.choice(("", "", "", "ctrl @ ", "negctrl @ ", "inv @ ", "pow(2) @ ", "ctrl(2) @ "))
        return modifier + writer.applied()
    if kind < 0.6:
        return f"{bit} = measure {writer.operand(writer.qubits)};"
    body = " ".join(_statement3(writer, depth + 1) for _ in range(chance.randint(0, 3)))
    if kind < 0.7:
        orelse = f" else {{ {_statement3(writer, depth + 1)} }}" if chance.random() < 0.5 else ""
        condition = f"{bit} {chance.choice(('==', '!=', '<', '&&'))} {chance.choice(('1', 'true', '0'))}"
        return f"if ({condition}) {{ {body} }}{orelse}"
    if kind < 0.8:
        stop = 10**12 if writer.rarely() else chance.randrange(5)
        values = chance.choice((f"[0:{stop}]", "{1, 2, 3}", f"[0:{chance.randint(-1, 2)}:{stop}]"))
        return f"for {chance.choice(('int', 'uint', 'int[32]'))} i in {values} {{ {body} }}"
    if kind < 0.85:
        return f"while ({bit}) {{ {body} }}"
    if kind < 0.9:
        return f"switch ({chance.choice(list(writer.bits))}) {{ case 0 {{ {body} }} default {{ {body} }} }}"
    return chance.choice(
        (
            *(
                f"let a = {writer.operand(writer.qubits)};",
                f"const int n = {chance.randrange(9)};",
                "float[64] f = 1.5;",
            ),
            *(f"angle[20] a = {writer.expression()};", "bool b = true;", "int[8] x = 300;", "complex[float[64]] z;"),
            *("def f(int x) -> int { return x; }", "extern g(int) -> int;", "array[int, 3] a;", "input float theta;"),
            *("delay[100ns] q0;", "barrier;", f"reset {writer.operand(writer.qubits)};", "h $0;", "h $99999999999;"),
            *("#pragma x", "@note y", "defcal x $0 {}", "box { }", "stretch s;", "duration d = 1ms;", "end;", "nop;"),
        )
    )
