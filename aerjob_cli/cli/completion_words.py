"""From the words of an unfinished command line to what may stand at its end; builds the one command that is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aerjob_cli.cli.completion_sources import Candidate, Found, of_parameter, starting_with
from aerjob_cli.cli.overview import VERBS

if TYPE_CHECKING:
    from typer._click import Command, Parameter

_VERSION = Candidate("--version", "Show the version.")
_HELP = Candidate("--help", "Show this message and exit.")
_WORDS_AT_MOST = 64  # characters of a description, so that it stands in a line with its word


def complete(words: Sequence[str]) -> Found:
    """Give what may stand in the place of the last word; the words are without the program's name and any quoting."""
    *before, incomplete = words or [""]
    position = next((index for index, word in enumerate(before) if not word.startswith("-")), None)
    if position is None:
        verbs = [Candidate(verb, sentence) for group in VERBS.values() for verb, sentence in group.items()]
        return Found(starting_with(incomplete, [_VERSION, _HELP] if incomplete.startswith("-") else verbs))
    command = _command(before[position])
    return Found() if command is None else _in_command(command, before[position + 1 :], incomplete)


def _command(verb: str) -> Command | None:
    from aerjob_cli.cli.app import command_tree, module_of

    module = module_of(verb)
    return None if module is None else command_tree([module]).commands.get(verb)


def _in_command(command: Command, before: Sequence[str], incomplete: str) -> Found:
    verbs: dict[str, Command] | None = getattr(command, "commands", None)
    if verbs is None:
        return _in_arguments(command.params, before, incomplete)
    if before:
        return _in_command(verbs[before[0]], before[1:], incomplete) if before[0] in verbs else Found()
    candidates = [
        Candidate(name, verb.get_short_help_str(_WORDS_AT_MOST)) for name, verb in verbs.items() if not verb.hidden
    ]
    return Found(starting_with(incomplete, [_HELP] if incomplete.startswith("-") else candidates))


def _in_arguments(parameters: Sequence[Parameter], before: Sequence[str], incomplete: str) -> Found:
    typed = _Typed.of(parameters, before)
    if typed.expecting is not None:
        return of_parameter(typed.expecting, incomplete, typed.values)
    if incomplete.startswith("-") and not typed.only_arguments:
        name, equals, value = incomplete.partition("=")
        if not equals:
            return Found(starting_with(incomplete, _unused(typed)))
        option = typed.options.get(name)
        return Found() if option is None else of_parameter(option, value, typed.values).after(f"{name}=")
    argument = _at([item for item in parameters if not _is_option(item)], typed.arguments)
    return Found() if argument is None else of_parameter(argument, incomplete, typed.values)


@dataclass
class _Typed:
    """What the words so far are to the parser."""

    options: dict[str, Any]
    values: dict[str, str] = field(default_factory=dict)
    arguments: int = 0
    expecting: Any = None
    only_arguments: bool = False

    @classmethod
    def of(cls, parameters: Sequence[Parameter], words: Sequence[str]) -> _Typed:
        """Follow the words as the parser would."""
        typed = cls({name: item for item in parameters if _is_option(item) for name in _names(item)})
        expected_by = ""
        for word in words:
            if typed.expecting is not None:
                typed.values[expected_by] = word
                typed.expecting = None
            elif typed.only_arguments or not word.startswith("-") or word == "-":
                typed.arguments += 1
            elif word == "--":
                typed.only_arguments = True
            else:
                expected_by, equals, value = word.partition("=")
                typed.values[expected_by] = value
                option = typed.options.get(expected_by)
                if option is not None and not equals and not (option.is_flag or option.count):
                    typed.expecting = option
        return typed


def _unused(typed: _Typed) -> list[Candidate]:
    """Give the long names of the options that can still be given."""
    left = [
        item
        for item in dict.fromkeys(typed.options.values())
        if not item.hidden and (item.multiple or typed.values.keys().isdisjoint(_names(item)))
    ]
    named = [Candidate(name, item.help or "") for item in left for name in _names(item) if name.startswith("--")]
    return [*named, _HELP]


def _at(arguments: Sequence[Parameter], count: int) -> Parameter | None:
    """Give the argument that the next word is part of, after ``count`` words that are parts of arguments."""
    for argument in arguments:
        if argument.nargs == -1 or count < argument.nargs:
            return argument
        count -= argument.nargs
    return None


def _is_option(parameter: Parameter) -> bool:
    return parameter.param_type_name == "option"


def _names(option: Parameter) -> list[str]:
    return [*option.opts, *option.secondary_opts]
