"""Matplotlib as it is needed here: no display, no settings of the user, no word on stderr, the same bytes each time."""

from __future__ import annotations

import io
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from aerjob_cli.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What a file is called says what it is; the values keep the time of drawing out of the file.
METADATA: dict[str, dict[str, Any]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}

_DOTS_PER_INCH = 150
_SETTINGS = {
    # A name is a name, whatever dollar signs it has.
    "text.parse_math": False,
    "svg.hashsalt": "aerjob",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e4e4",
    "axes.edgecolor": "#888888",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
}
# Fonts that have what matplotlib's own one has not, where one of them is installed.
_EAST_ASIAN = (
    *("Noto Sans CJK JP", "Noto Sans JP", "IPAexGothic", "IPAGothic", "TakaoGothic", "VL Gothic", "Hiragino Sans"),
    *("Yu Gothic", "MS Gothic", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "PingFang SC", "Droid Sans Fallback"),
)


def require_matplotlib() -> None:
    """Raise ``MissingExtra`` when matplotlib is not installed; it is not imported for that."""
    if find_spec("matplotlib") is None:
        raise MissingExtra("matplotlib", "plot")


def drawn(draw: Callable[[], Figure], *, form: str) -> bytes:
    """Give a picture as the bytes of a file, ``form`` being one of ``METADATA``; raises ``MissingExtra``."""
    with _matplotlib():
        file = io.BytesIO()
        draw().savefig(file, format=form, dpi=_DOTS_PER_INCH, metadata=METADATA[form])
    return file.getvalue()


@contextmanager
def _matplotlib() -> Iterator[None]:
    # That it builds a cache of fonts, or finds no folder for it, is not the user's concern.
    logging.getLogger("matplotlib").setLevel(logging.CRITICAL)
    # A backend of the user's, which may need a display or be none, is not even looked up.
    os.environ["MPLBACKEND"] = "agg"
    try:
        import matplotlib as mpl
        from matplotlib import font_manager
    except ImportError:
        raise MissingExtra("matplotlib", "plot") from None
    installed = set(font_manager.get_font_names())
    fonts = ["DejaVu Sans", *(name for name in _EAST_ASIAN if name in installed)]
    with mpl.rc_context(), warnings.catch_warnings():
        # A character that no font has is drawn as a box.
        warnings.simplefilter("ignore")
        mpl.rcdefaults()
        settings: Any = mpl.rcParams
        settings.update({**_SETTINGS, "font.family": fonts})
        yield
