"""What may be spent, counted and not timed: each bound beside what was counted when it was set.

A bound leaves room for what a busy machine changes, such as how many jobs are committed together, and for little else.
Who needs more raises it here, and says in the commit what is had for it.
"""

from __future__ import annotations

# Of 200 different jobs of two qubits, each a text that is still to be validated, submitted in one go. Per job:
STATEMENTS_OF_A_CLIENT = 14.0  # 10.1, those that begin and end transactions included
STATEMENTS_OF_A_WORKER = 33.0  # 30.1
SYNCS_OF_A_WORKER = 2.0  # 1.1
PIPE_BYTES = 4000.0  # 3153, both directions together

# Of a worker that has nothing to do, with all that it has started. Per second:
WAKE_UPS = 3.0  # 1.0 to 1.5

# Modules that a command has at its end, Python's own included.
MODULES = {
    "--version": 190,  # 173
    "--help": 185,  # 167
    "__complete": 230,  # 211
    "schema list": 205,  # 185
    "list": 450,  # 429
    "status last": 450,  # 429
    "worker status": 470,  # 449
    "submit": 450,  # 431
}
