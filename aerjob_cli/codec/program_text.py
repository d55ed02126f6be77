"""The text of a program in bytes that somebody brought, and foreign messages in our sentences."""

from __future__ import annotations

from aerjob_cli.errors import CircuitRefused

# Wider than anything that can be simulated; a declaration of billions would only exhaust the memory.
REGISTER_LIMIT = 1_000_000
# Characters of a foreign message that people read.
_GZIP = b"\x1f\x8b"  # RFC 1952
_CLAUSE_BEGINS, _CLAUSE_ENDS = 300, 100


def decoded_text(data: bytes, name: str, *, language: str) -> str:
    """Decode UTF-8; raises ``CircuitRefused``, with the place of the first byte that is none, or for no text at all."""
    try:
        # A byte-order mark says nothing in UTF-8, but some editors write one.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if data.startswith(_GZIP):
            raise CircuitRefused(f"{name} is compressed by gzip; unpack it first (`gunzip`)") from None
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        raise CircuitRefused(
            f"{name} is not UTF-8 text: byte {data[error.start]:#04x} at line {line}, column {column}; "
            "save it as UTF-8, or name its format",
            line=line,
            column=column,
        ) from None
    if not text.strip():
        raise CircuitRefused(f"{name} is empty; write an {language} program into it")
    return text


def too_large(noun: str) -> str:
    """Word the end of a sentence about a number of qubits or bits beyond ``REGISTER_LIMIT``."""
    return f", and {REGISTER_LIMIT} {noun} are the most that can be read; look for a number that is too large"


def as_clause(text: str) -> str:
    """Give a foreign message in one line, without what would move a cursor, or the full stop that would end ours.

    Of a long one, which repeats what stands in a file, the beginning and the end are given.
    """
    line = " ".join(text.split()).rstrip(".")
    if len(line) > _CLAUSE_BEGINS + _CLAUSE_ENDS:
        line = f"{line[:_CLAUSE_BEGINS]}…{line[-_CLAUSE_ENDS:]}"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)
