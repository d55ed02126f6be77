"""Text from outside (names, errors, paths, logs), made harmless for a terminal."""

from __future__ import annotations

# Letters and marks by Unicode's categories, and yet without any width (Default_Ignorable_Code_Point, UAX #44).
# The joiner of emoji (ZWJ) goes like all format characters: a family becomes its members, side by side.
_INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),  # variation selectors
            *range(0xE0100, 0xE01F0),  # more of them, by which texts hide in texts
        ),
    )
)


def clean_lines(text: str) -> str:
    """Give ``text`` with its lines and its tabs as they are, and each part between them clean."""
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return "\n".join("\t".join(map(clean, line.split("\t"))) for line in lines)


def clean(text: str) -> str:
    """Give ``text`` as one line without control, direction and zero-width characters."""
    if text.isascii() and text.isprintable():
        return text
    # isprintable() is False for Unicode's Other and Separator categories: Cc, Cf, Cs, Co, Cn, Zl, Zp.
    kept = (
        character if character.isprintable() and character not in _INVISIBLE else " " if character.isspace() else ""
        for character in text
    )
    return "".join(kept)
