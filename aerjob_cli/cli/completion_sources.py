"""Where the candidates for the value of a parameter come from: the store, the catalog, or a list.

A parameter is known by what the help text calls it, its name or its metavar. So every command that takes an ``ID``
completes ids, and a choice between words needs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aerjob_cli.cli.cleaning import clean
from aerjob_cli.codec.options import options_of
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_named, usable_simulators
from aerjob_cli.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

# Who types does not wait for somebody else's transaction.
_BUSY_TIMEOUT_S = 0.2


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be typed, and a few words on it."""

    value: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """All that fits. ``is_open``: the word goes on after it; ``are_files``: the shell knows better than we."""

    candidates: tuple[Candidate, ...] = ()
    is_open: bool = False
    are_files: bool = False

    @property
    def kind(self) -> str:
        """Name what is found, for the scripts."""
        return "files" if self.are_files else "open" if self.is_open else "words"

    def after(self, prefix: str) -> Found:
        """Put before each candidate what stands before it in the same word."""
        return replace(self, candidates=tuple(replace(item, value=prefix + item.value) for item in self.candidates))


def starting_with(incomplete: str, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Keep what begins like this, in small letters or capitals, and cannot act on a terminal."""
    beginning = incomplete.casefold()
    return tuple(
        item for item in candidates if item.value.casefold().startswith(beginning) and clean(item.value) == item.value
    )


def of_parameter(parameter: Any, incomplete: str, given: Mapping[str, str]) -> Found:
    """Give what the value of an option or an argument may be, of which ``incomplete`` has been typed.

    ``given`` are the values of other options, by their names as they were typed.
    """
    choices: Sequence[str] = getattr(parameter.type, "choices", ())
    if choices:
        return Found(starting_with(incomplete, map(Candidate, map(str, choices))))
    for name in (*parameter.opts, parameter.metavar):
        if name in _SOURCES:
            return _SOURCES[name](incomplete, given)
    return Found(are_files=parameter.metavar in _FILES)


@contextmanager
def _reading() -> Iterator[Connection]:
    """Look into the store that there is; a new one is not made."""
    from aerjob_cli.store.database import Store

    paths = Settings.from_environment().paths
    if not paths.database.is_file():
        raise FileNotFoundError(paths.database)
    store = Store.open(paths, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        with store.reading_directly() as tx:
            yield tx
    finally:
        store.close()


def _jobs(incomplete: str, _: Mapping[str, str]) -> Found:
    from aerjob_cli.store.suggestions import known_jobs

    may_be_last = "last".startswith(incomplete.lower())
    with _reading() as tx:
        jobs = known_jobs(tx, "" if may_be_last else incomplete.lower())
    ids = [Candidate(job.job_id, f"{job.status} {job.name or ''}".rstrip()) for job in jobs]
    last = [replace(ids[0], value="last")] if ids else []
    return Found(starting_with(incomplete, last + ids))


def _several_jobs(incomplete: str, given: Mapping[str, str]) -> Found:
    before, comma, last = incomplete.rpartition(",")
    return _jobs(last, given).after(before + comma)


def _tags(incomplete: str, _: Mapping[str, str]) -> Found:
    from aerjob_cli.store.suggestions import known_tags

    with _reading() as tx:
        return Found(starting_with(incomplete, map(Candidate, known_tags(tx, incomplete))))


def _groups(incomplete: str, _: Mapping[str, str]) -> Found:
    from aerjob_cli.store.suggestions import known_groups

    with _reading() as tx:
        return Found(starting_with(incomplete, map(Candidate, known_groups(tx, incomplete))))


def _names(incomplete: str, _: Mapping[str, str]) -> Found:
    from aerjob_cli.store.suggestions import known_names

    with _reading() as tx:
        return Found(starting_with(incomplete, map(Candidate, known_names(tx, incomplete))))


def _backends(incomplete: str, _: Mapping[str, str]) -> Found:
    return Found(starting_with(incomplete, (Candidate(item.name, item.description) for item in usable_simulators())))


def _methods(incomplete: str, given: Mapping[str, str]) -> Found:
    return Found(starting_with(incomplete, map(Candidate, simulator_named(_backend(given)).methods)))


def _simulator_options(incomplete: str, given: Mapping[str, str]) -> Found:
    """Give the names of the simulator's options, and after ``KEY=`` the words that the option knows."""
    options = options_of(_backend(given))
    key, equals, value = incomplete.partition("=")
    if not equals:
        return Found(starting_with(incomplete, (Candidate(f"{name}=") for name in options)), is_open=True)
    option = options[key]
    words = ("true", "false") if option.kind is bool else option.words
    return Found(starting_with(value, map(Candidate, words))).after(f"{key}=")


def _backend(given: Mapping[str, str]) -> str:
    return given.get("--backend") or Settings.from_environment().backend


def _columns(incomplete: str, _: Mapping[str, str]) -> Found:
    from aerjob_cli.cli.columns import COLUMNS

    before, comma, last = incomplete.rpartition(",")
    return Found(starting_with(last, map(Candidate, COLUMNS))).after(before + comma)


def _sort_keys(incomplete: str, _: Mapping[str, str]) -> Found:
    from aerjob_cli.store.listing import SortKey

    keys = [key for name in SortKey for key in (str(name), f"-{name}")]
    return Found(starting_with(incomplete, map(Candidate, keys)))


Source = Callable[[str, Mapping[str, str]], Found]

_FILES = ("FILE", "PATH", "FOLDER")
_SOURCES: dict[str, Source] = {
    "ID": _jobs,
    "ID,…": _several_jobs,
    "TAG": _tags,
    "--tag": _tags,
    "--group": _groups,
    "--name": _names,
    "--backend": _backends,
    "--method": _methods,
    "--option": _simulator_options,
    "--columns": _columns,
    "--sort": _sort_keys,
}
