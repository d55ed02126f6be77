"""Circuits gone wrong: bytes and texts of circuits, changed in the ways in which files break and strangers attack.

A mutant is a function of its random source alone, so that a failing one can be made again from its number.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

Mutation = Callable[[bytes, random.Random, Sequence[bytes]], bytes]

_HOSTILE_NUMBERS = (
    *(b"0", b"-1", b"1e999", b"-1e-999", b"nan", b"1.5", b"0x10", b"1_000_000"),
    *(str(number).encode() for number in (2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**12, 10**400)),
)
_HOSTILE_WORDS = (
    *("\u202e", "\u200b", "\ufeff", "π", "量子", "e\u0301", "\U0001f408", "\u2028", "\x00", "\x1b[31m", "\x7f"),
    *("[red]", "%s%n", "{0}", "$(id)", "'; --", "\\", '"', "//", "/*", "\r", "\n" * 50, ";" * 50, "{" * 50),
    *("gate", "opaque", "measure", "if", "for", "while", "switch", "include", "OPENQASM", "qreg", "$1", "#pragma x\n"),
)
_HOSTILE_TOKENS = (*_HOSTILE_NUMBERS, *(word.encode() for word in _HOSTILE_WORDS))
# The fields of QPY are big-endian whole numbers of 1, 2, 4 or 8 bytes and doubles.
_WIDTHS = (1, 2, 4, 8)
_TOKEN = re.compile(rb"[A-Za-z_]\w*|[0-9][0-9.eE+-]*|\"[^\"]*\"|->|==|\S")
_NUMBER = re.compile(rb"(?<![A-Za-z_])[0-9][0-9.]*")
_MUTATIONS_AT_MOST = 4
_DEEP = (10, 100, 300, 300, 2000)


def mutant(seeds: Sequence[bytes], chance: random.Random, *, is_text: bool) -> bytes:
    """Give one of the seeds after one to four mutations."""
    kinds = (*_OF_BYTES, *(_OF_TEXT if is_text else _OF_FIELDS))
    data = chance.choice(seeds)
    for _ in range(chance.randint(1, _MUTATIONS_AT_MOST)):
        data = chance.choice(kinds)(data, chance, seeds)
    return data


def _flip_bit(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data or b"\0")
    changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _set_byte(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data or b"\0")
    changed[chance.randrange(len(changed))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(changed)


def _truncate(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _cut_out(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    start, stop = _range(data, chance)
    return data[:start] + data[stop:]


def _repeat(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    start, stop = _range(data, chance)
    return data[:stop] + data[start:stop] * chance.choice((1, 2, 10, 100)) + data[stop:]


def _splice(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    other = chance.choice(seeds)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def _swap_halves(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    cut = chance.randrange(len(data) + 1)
    return data[cut:] + data[:cut]


def _noise(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 4, 16, 64))) + data[at:]


def _set_field(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    width = chance.choice(_WIDTHS)
    largest = 256**width - 1
    value = chance.choice(
        (0, 1, largest, largest // 2, largest // 2 + 1, min(2**20, largest), chance.randint(0, largest))
    )
    at = chance.randrange(len(data) + 1)
    return data[:at] + value.to_bytes(width, "big") + data[at + width :]


def _replace_number(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    place = chance.choice(found)
    return data[: place.start()] + chance.choice(_HOSTILE_NUMBERS) + data[place.end() :]


def _replace_token(data: bytes, chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    found = list(_TOKEN.finditer(data))
    if not found:
        return data
    place = chance.choice(found)
    others = _TOKEN.findall(chance.choice(seeds))
    token = chance.choice(others) if others and chance.random() < 0.5 else chance.choice(_HOSTILE_TOKENS)
    return data[: place.start()] + token + data[place.end() :]


def _insert_token(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_HOSTILE_TOKENS) + data[at:]


def _swap_lines(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    lines = data.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _nest(data: bytes, chance: random.Random, _: Sequence[bytes]) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    place, depth = chance.choice(found), chance.choice(_DEEP)
    opening, closing = chance.choice(((b"(", b")"), (b"-", b""), (b"sin(", b")"), (b"{", b"}"), (b"[", b"]")))
    return data[: place.start()] + opening * depth + place[0] + closing * depth + data[place.end() :]


def _range(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data) + 1)
    return start, min(len(data), start + chance.choice((1, 2, 4, 8, 32, 128, 1024)))


_OF_BYTES: tuple[Mutation, ...] = (_flip_bit, _set_byte, _truncate, _cut_out, _repeat, _splice, _swap_halves, _noise)
# Twice, since most changes of single bytes are found by the tokenizer, and these go deeper.
_OF_TEXT: tuple[Mutation, ...] = (_replace_number, _replace_token, _insert_token, _swap_lines, _nest) * 2
_OF_FIELDS: tuple[Mutation, ...] = (_set_field,) * 4 + (_flip_bit, _set_byte) * 2
