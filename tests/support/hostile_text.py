"""Text that acts on a terminal, hides in a line, or is taken for markup; and the finding of it in an output."""

from __future__ import annotations

import re
import sys
import unicodedata

# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties (UAX #44): nothing is seen of these.
_IGNORABLE = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
# Controls (C0, C1), formats (direction, joiners, tags), separators of lines and paragraphs; the surrogates are no text.
_CATEGORIES = ("Cc", "Cf", "Zl", "Zp")

ACTING = frozenset(
    {chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point)) in _CATEGORIES}
    | {chr(point) for first, last in _IGNORABLE for point in range(first, last + 1)}
)

# Markup that Rich would take for its own, with what it would make of it.
MARKUP = "[red]r[/red][link=https://e.vil]l[/link][/]:smile:[@click=x]"
# Sequences that nothing of ours sends, so that they are told from what Rich sends.
_SEQUENCES = ("\x1b[38;5;199m", "\x1b]0;title\x07", "\x1b]8;;https://e.vil\x1b\\", "\x9b38;5;199m", "\x1bc", "\x1b[2J")
EVIL = (
    f"a{MARKUP}"
    + "b".join(_SEQUENCES)
    + "\u202ec\u2066d\u200be\ufefff\u2028g\x85h\rj\x08k\nl\tm\x00".replace("\x00", "")
)

# What Rich and the status line send to a terminal: colours, erasing a line, showing and hiding the cursor.
_OURS = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-2]?K|\x1b\[\?1049[lh]|\x1b\[[0-9;]*H")
_LINE_ENDS = "\r\n\t"


def every_acting(*, limit: int = 1000) -> list[str]:
    """Give every such character that is assigned and a store takes, in texts of ``limit`` characters at most."""
    kinds = [character for character in sorted(ACTING) if unicodedata.category(character) != "Cn" and character != "\0"]
    return ["".join(kinds[start : start + limit]) for start in range(0, len(kinds), limit)]


def acting_in(output: str) -> list[str]:
    """List what acts in an output for a terminal, besides what aerjob itself sends there."""
    found = [repr(sequence) for sequence in _SEQUENCES if sequence in output]
    rest = _OURS.sub("", output)
    return found + sorted({f"U+{ord(one):04X}" for one in rest if one in ACTING and one not in _LINE_ENDS})
