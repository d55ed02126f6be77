"""No file but Qiskit's own is opened for a circuit, whatever it says it includes: by what the kernel was asked for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aerjob_cli.codec import envelope

HIDDEN = "gate stolen a { h a; }\n"

PROGRAM = """
import json, sys
from pathlib import Path
from aerjob_cli.codec.circuits import decode_circuits, preload_readers
from aerjob_cli.errors import CircuitRefused
preload_readers()
good = {"openqasm2": b'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; h q[0];',
        "openqasm3": b'OPENQASM 3.0; include "stdgates.inc"; qubit q; h q;'}
# Once, for what the readers open at their first use.
for format, text in good.items():
    assert len(decode_circuits(format, text, "good")) == 1
Path("begin").exists()
for format, form, name in json.loads(sys.argv[1]):
    try:
        decode_circuits(format, form.replace("NAME", name).encode(), "file")
        print("accepted", name)
    except CircuitRefused as error:
        print("refused", error.message)
Path("end").exists()
"""

FORMS = [
    (envelope.OPENQASM2, 'OPENQASM 2.0; include "NAME"; qreg q[1]; stolen q[0];'),
    (envelope.OPENQASM2, 'OPENQASM 2.0; include "qelib1.inc"; include "NAME"; qreg q[1]; stolen q[0];'),
    (envelope.OPENQASM3, 'OPENQASM 3.0; include "NAME"; qubit q; stolen q;'),
    (envelope.OPENQASM3, 'OPENQASM 3.0; include "stdgates.inc"; qubit q; if (true) { include "NAME"; }'),
]


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_an_include_opens_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret.inc").write_text(HIDDEN)
    # Files of the names that are allowed, in the folder where it runs, are not what is meant.
    (tmp_path / "qelib1.inc").write_text(HIDDEN)
    (tmp_path / "stdgates.inc").write_text(HIDDEN)
    names = (
        *(str(tmp_path / "secret.inc"), "secret.inc", "./secret.inc", "../secret.inc", "./qelib1.inc"),
        *(str(tmp_path / "qelib1.inc"), "/dev/stdin", "/proc/self/environ", "/etc/passwd", "", ".", "~/.bashrc"),
        *("file:///etc/passwd", "http://e.vil/x.inc", "$HOME/.bashrc", "qelib1.inc\\0", "QELIB1.INC"),
    )
    attacks = [(format, form, name) for format, form in FORMS for name in names]
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-e", "trace=%file,%network", "-o", str(trace), sys.executable, "-c", PROGRAM]
    done = subprocess.run(
        [*command, json.dumps(attacks)], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["refused"] * len(attacks), done.stdout
    assert "stolen a" not in done.stdout
    asked = trace.read_text().splitlines()
    begin = next(number for number, line in enumerate(asked) if '"begin"' in line)
    end = next(number for number, line in enumerate(asked) if '"end"' in line)
    touched = [line for line in asked[begin + 1 : end] if not _is_of_the_installation(line)]
    assert touched == []


def _is_of_the_installation(line: str) -> bool:
    """Tell whether a call is Python importing a module late, or Qiskit reading its own include file."""
    return "site-packages" in line or sys.base_prefix in line
