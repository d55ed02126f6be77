"""Makes a template's executors do what no circuit makes Aer do. Python imports this by its name at its start.

A circuit named ``abort`` has its executor abort where it should run it, and so on for each name in ``DEEDS``; what is
behind a space is for the deed. With ``check `` before it, it is done where the circuit should be validated. All other
circuits are run as ever.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aerjob_cli.executors.messages import Message
    from aerjob_cli.executors.shared_calls import SharedCalls

_FOR_EVER = "1000000"
_MIB = 2**20
Deed = Callable[[socket.socket, "Message", str], None]


def _abort(_connection: socket.socket, _message: Message, _argument: str) -> None:
    os.abort()


def _segfault(_connection: socket.socket, _message: Message, _argument: str) -> None:
    ctypes.string_at(0)


def _exit(_connection: socket.socket, _message: Message, argument: str) -> None:
    os._exit(int(argument))


def _close_pipe(connection: socket.socket, _message: Message, _argument: str) -> None:
    connection.shutdown(socket.SHUT_RDWR)
    time.sleep(float(_FOR_EVER))


def _garbage(connection: socket.socket, _message: Message, argument: str) -> None:
    connection.sendall(bytes.fromhex(argument))
    time.sleep(float(_FOR_EVER))


def _half(connection: socket.socket, message: Message, argument: str) -> None:
    """Send the first half of an answer, then die, close, or say no more."""
    whole = _frame({"kind": "done", "ticket": message.header["ticket"], "engine": "none"})
    connection.sendall(whole[: len(whole) // 2])
    if argument == "die":
        os._exit(0)
    if argument == "close":
        connection.shutdown(socket.SHUT_WR)
    time.sleep(float(_FOR_EVER))


def _say(connection: socket.socket, message: Message, argument: str) -> None:
    """Answer in form and out of turn."""
    connection.sendall(_frame({"kind": argument, "ticket": message.header["ticket"]}))
    time.sleep(float(_FOR_EVER))


def _take_file(connection: socket.socket, message: Message, argument: str) -> None:
    """Give a file that is not its own for its result."""
    size_bytes = os.stat(argument).st_size
    piece = {"name": "c", "format": "experiment-result+json;v1", "sha256": "0" * 64, "size_bytes": size_bytes}
    outcome = piece | {"path": argument, "index": 0, "shots": 1, "seed": 1, "arrays": []}
    connection.sendall(_frame({"kind": "chunk", "ticket": message.header["ticket"], "experiments": [outcome]}))
    time.sleep(float(_FOR_EVER))


def _grow(_connection: socket.socket, _message: Message, _argument: str) -> None:
    """Take 1 GiB a second, up to 8."""
    taken = []
    for _ in range(512):
        taken.append(b"x" * (16 * _MIB))
        time.sleep(1 / 64)
    time.sleep(float(_FOR_EVER))


def _draft(_connection: socket.socket, message: Message, _argument: str) -> None:
    """Begin to write a large result, and never end."""
    with open(os.path.join(message.header["incoming"], "draft"), "wb") as file:
        file.write(bytes(_MIB))
        file.flush()
        time.sleep(float(_FOR_EVER))


def _leave(_connection: socket.socket, _message: Message, argument: str) -> None:
    """Start what stays: in the group, in a session of its own, and one whose parent ends at once."""
    for session in (False, True):
        subprocess.Popen(["/bin/sleep", argument], start_new_session=session)
    if os.fork() == 0:
        subprocess.Popen(["/bin/sleep", argument], start_new_session=True)
        os._exit(0)
    os.wait()


def _leave_and_stay(connection: socket.socket, message: Message, argument: str) -> None:
    _leave(connection, message, argument)
    time.sleep(float(_FOR_EVER))


DEEDS: dict[str, Deed] = {
    "abort": _abort,
    "segfault": _segfault,
    "exit": _exit,
    "close-pipe": _close_pipe,
    "garbage": _garbage,
    "half": _half,
    "say": _say,
    "take-file": _take_file,
    "grow": _grow,
    "draft": _draft,
    "leave": _leave,
    "leave-and-stay": _leave_and_stay,
}


def _frame(header: dict[str, Any]) -> bytes:
    from aerjob_cli.executors.messages import encode

    return encode(header)


def _misbehave() -> None:
    from aerjob_cli.executors import child

    run, run_together, validate = child._run, child._run_together, child._validate

    def badly(connection: socket.socket, message: Message, start: str) -> None:
        name = str(message.header["sources"][0]["name"])
        deed, _, argument = name.removeprefix(start).partition(" ")
        if name.startswith(start) and deed in DEEDS:
            DEEDS[deed](connection, message, argument)

    def run_badly(connection: socket.socket, message: Message, ticket: Any) -> None:
        badly(connection, message, "")
        run(connection, message, ticket)

    def run_together_badly(connection: socket.socket, calls: SharedCalls, begun: Sequence[Message]) -> bool:
        for message in begun:
            badly(connection, message, "")
        return run_together(connection, calls, begun)

    def validate_badly(connection: socket.socket, message: Message, ticket: Any) -> None:
        badly(connection, message, "check ")
        validate(connection, message, ticket)

    child._run, child._run_together, child._validate = run_badly, run_together_badly, validate_badly


if "aerjob_cli.executors.template" in sys.orig_argv:
    _misbehave()
