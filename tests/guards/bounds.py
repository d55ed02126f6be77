"""What may be spent, counted and not timed: each bound beside what was counted when it was set.

A bound leaves room for what a busy machine changes, such as how many jobs are committed together, and for little else.
Who needs more raises it here, and says in the commit what is had for it.
"""

from __future__ import annotations

# Of 200 different jobs of two qubits, each a text that is still to be validated, submitted in one go. Per job:
STATEMENTS_OF_A_CLIENT = 6.0  # 4.1, those that begin and end transactions included
STATEMENTS_OF_A_WORKER = 18.0  # 12.8; each row that is inserted counts
SYNCS_OF_A_WORKER = 0.5  # 0.05, which is 50 for 1,000 jobs
PIPE_BYTES = 4000.0  # 3337, both directions together

# Of a worker that has nothing to do, with all that it has started. Per second:
WAKE_UPS = 3.0  # 1.5

# Modules that a command has at its end, Python's own included.
MODULES = {
    "--version": 190,  # 171
    "--help": 185,  # 165
    "__complete": 185,  # 166
    "schema list": 200,  # 180
    "list": 270,  # 245
    "status last": 270,  # 245
    "worker status": 295,  # 270
    "submit": 280,  # 253
}
