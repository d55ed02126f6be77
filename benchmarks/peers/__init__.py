"""What aerjob is compared with, each in processes of its own.

Bare Aer is what one has without any queue. Huey on SQLite is the queue that is nearest to aerjob: no server, results in
a database file. RQ with Redis is the one that most people know. Both are maintained, and take a Python function as it
is, so that their workers do what ours do: parse the text, run Aer, keep the counts.
"""
