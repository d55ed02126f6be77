"""The one boundary from error to exit code: nothing passes it but an answer, a sentence and a number.

It is ready before anything heavy is imported, so that Ctrl-C has its sentence from the first moment.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

from aerjob_cli.cli import interrupts, streams
from aerjob_cli.cli.context import Invocation
from aerjob_cli.errors import AerjobError, InternalError


def run(arguments: Sequence[str]) -> int:
    """Do what the command line says; give the exit code of the process."""
    streams.repair()
    invocation = Invocation(tuple(arguments))
    try:
        with interrupts.raised():
            return _perform(invocation)
    except interrupts.Interrupted as interrupt:
        error: AerjobError = interrupt.as_error()
        _trace(invocation)
    except AerjobError as known:
        error = known
        _trace(invocation)
    except Exception as unexpected:  # noqa: BLE001 - the last place where one can become a sentence
        error = _internal(invocation, unexpected)
        _trace(invocation)
    invocation.tell(error)
    return error.exit_code


def _perform(invocation: Invocation) -> int:
    from aerjob_cli.cli.app import answers

    exit_code = 0
    try:
        for answer in answers(invocation):
            # An answer is printed whole or not at all.
            with interrupts.put_off():
                invocation.show(answer)
            exit_code = answer.exit_code
    finally:
        with interrupts.put_off():
            invocation.close()
    return exit_code


def _internal(invocation: Invocation, error: Exception) -> AerjobError:
    from aerjob_cli.cli.crash_log import write_crash

    place = write_crash(invocation.home, invocation.arguments, error)
    return InternalError(
        f"this is a bug in aerjob ({type(error).__name__}); the details are in {place}, please report them",
        log=str(place),
    )


def _trace(invocation: Invocation) -> None:
    if invocation.debug:
        streams.to_stderr("".join(traceback.format_exception(*sys.exc_info())))
