"""systemd's units, read as systemd does as far as tests need it."""

from __future__ import annotations

# A name of a folder with everything that means something in a unit.
AWKWARD = 'a b%h "q" it\'s \\ $HOME 100% é'


def words_of(line: str) -> list[str]:
    """Read a line of a unit as systemd.syntax(7) and systemd.service(5) say: quotes, escapes, %% and $$."""
    words, word, quote, position = [], None, "", 0
    while position < len(line):
        character = line[position]
        position += 1
        if character == "\\":
            kind = line[position]
            position += 1
            if kind == "x":
                word = (word or b"") + bytes.fromhex(line[position : position + 2])
                position += 2
            else:
                word = (word or b"") + kind.encode()
        elif quote and character == quote:
            quote = ""
        elif not quote and character in "\"'":
            quote, word = character, word or b""
        elif not quote and character == " ":
            words += [] if word is None else [word]
            word = None
        else:
            word = (word or b"") + character.encode()
    assert not quote
    words += [] if word is None else [word]
    return [item.decode().replace("%%", "%") for item in words]


def fields_of(text: str) -> dict[str, str]:
    """Give the assignments of a unit; none may stand there twice."""
    pairs = [line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#")]
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


def environment_of(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words_of(fields_of(text)["Environment"]))


def command_of(text: str) -> list[str]:
    """Give the command as systemd runs it."""
    program, *arguments = words_of(fields_of(text)["ExecStart"])
    assert not set("'\"\\$") & set(program), "systemd takes no such program"
    if program != "/usr/bin/env":
        return [program, *arguments]
    assert all("$" not in argument.replace("$$", "") for argument in arguments)
    return [argument.replace("$$", "$") for argument in arguments]
