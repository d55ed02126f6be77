"""What the root of the command line says of itself, without importing a single command.

A test holds the sentences against those of the commands, which say the same and more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

# Each verb with the first sentence of its help, in the order in which somebody who starts needs them.
VERBS: dict[str, dict[str, str]] = {
    "Run circuits": {
        "submit": "Take circuits in as durable jobs, and print an id for each",
        "run": "Submit circuits, wait for their end and print the results",
        "estimate": "Tell what circuits would take, without queuing them",
    },
    "Look at jobs": {
        "status": "Show where jobs are",
        "wait": "Wait until jobs have ended",
        "watch": "Watch jobs on the whole terminal",
        "top": "Show what goes on: the worker, running, queued and ended jobs",
        "result": "Give the result of a job, as a table or in a format for programs",
        "plot": "Draw the counts of a job, or its statevector, into a file",
        "list": "List jobs, the last submitted first",
        "show": "Show all that is known of a job, its history and why it failed",
        "explain": "Say in a sentence why jobs are not running yet",
        "events": "Tell the history of jobs as JSON lines, and follow it",
    },
    "Change jobs": {
        "cancel": "End jobs, wherever they are",
        "retry": "Submit jobs that have ended once more, and print the new ids",
        "hold": "Keep jobs from starting until they are released",
        "release": "Let jobs start that were held",
        "set": "Change the place of jobs in the queue",
        "tag": "Give tags to jobs and take them away, also when they have ended",
        "rm": "Delete ended jobs, with their circuits, results and history",
        "export": "Write ended jobs into a file, with results and history",
        "import": "Take in the jobs of such a file, which are never run here",
    },
    "Look after aerjob": {
        "worker": "The worker: started when needed, it stops by itself",
        "store": "The store: what is in it, is it sound, copy it, upgrade it",
        "doctor": "Look whether all is well that jobs need, and say what to do",
        "backends": "List the simulators, their methods and how many qubits they take",
        "completion": "Print the script that makes a shell complete aerjob's words",
        "schema": "Print the JSON Schema of what --json prints",
        "version": "Show the versions of aerjob and of what it stands on",
    },
}

WHERE_TO_READ_ON = "\b\nMore:\n  aerjob COMMAND --help, man aerjob, and docs/cli.md in the source"


class Root(TyperGroup):
    """The command `aerjob`, whose help lists all verbs, also those that have not been built."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write the verbs, by what one does with them."""
        width = max(len(verb) for verbs in VERBS.values() for verb in verbs)
        for heading, verbs in VERBS.items():
            with formatter.section(heading):
                formatter.write_dl([(f"{verb:<{width}}", sentence) for verb, sentence in verbs.items()])
