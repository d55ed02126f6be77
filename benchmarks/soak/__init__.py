"""A long run under faults: clients submit, wait for and cancel jobs while processes are killed and disks are full.

`python -m benchmarks.soak --home DIR --seed N --kills 10000` goes on until that many SIGKILLs have hit, and then lets
a fresh process compare what the store holds with what the clients were told. What counts is what a client could know:
an id that arrived was acknowledged, whatever happened to the client afterwards. Everything that must outlive the soak
itself stands in ``DIR/journal.jsonl``; a second start with the same folder goes on where the first one was ended.
"""
