"""demur.toml as text: how a policy is written, and on which line a key stands, for the sentences about it.

Invariants: every key is written, uncommented, one a line, under a comment that says what it means; what is written
reads back as an equal policy; the file is replaced in one step, so that a crash leaves the old one or the new one.

Only text that is valid TOML up to the key is asked where one stands; a key that is left out has no line, and the line
of a table inside it is never invented.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from typing import Final

from demur.errors import PolicyError
from demur.files import replacing
from demur.policy.meanings import meaning_of
from demur.policy.model import Policy, Section

FILE_NAME: Final = "demur.toml"

KeyPath = tuple[str, ...]

_WIDTH: Final = 100
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_SHORT_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_HEAD: Final = (
    "The policy of this workspace: what may come in, on what legal basis, and how text is changed.\n"
    "`demur policy check` says whether it holds together; `demur policy show` prints what is in force."
)


def locate(text: str, key: str | Sequence[str]) -> int | None:
    """The line, from 1, on which a key or table first stands, or None where the file does not hold it.

    Args:
        text: The whole file.
        key: ``door.unknown_age``, or its parts where a part holds a dot.
    """
    parts = tuple(key.split(".")) if isinstance(key, str) else tuple(key)
    return next((line for path, line in _statements(text) if path[: len(parts)] == parts), None)


def place(path: Path, key: str, text: str | None = None) -> str:
    """``line 23 of demur.toml (door.unknown_age)``, or where the missing key belongs.

    Raises:
        OSError: when ``text`` is not given and the file can't be read.
    """
    line = locate(path.read_text("utf-8-sig") if text is None else text, key)
    if line is not None:
        return f"line {line} of {path.name} ({key})"
    section, _, name = key.rpartition(".")
    return f"{path.name} (add {name} {f'under [{section}]' if section else 'at the top'})"


def _statements(text: str) -> Iterator[tuple[KeyPath, int]]:
    """Each header and each key with its full path and line.

    The parser of the standard library tells no positions, but it tells whether some lines are a whole
    statement: a statement is the least number of lines that it accepts.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    table: KeyPath = ()
    start = 0
    while start < len(lines):
        end, parsed = _whole_statement(lines, start)
        header = lines[start].lstrip().startswith("[")
        for path in _paths(parsed):
            yield (path if header else table + path), start + 1
            if header:
                table = path
        start = end


def _whole_statement(lines: list[str], start: int) -> tuple[int, dict[str, object]]:
    for end in range(start + 1, len(lines) + 1):
        try:
            return end, tomllib.loads("\n".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
    return start + 1, {}


def _paths(parsed: object, above: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of the leaves; an empty table, as a header makes it, is a leaf."""
    if isinstance(parsed, list) and parsed and isinstance(parsed[0], dict):
        parsed = parsed[0]
    if isinstance(parsed, dict) and (parsed or not above):
        for key, value in parsed.items():
            yield from _paths(value, (*above, key))
    else:
        yield above


def write_policy(policy: Policy, path: Path) -> None:
    """Write ``policy`` to ``path``, replacing a file that stands there.

    Raises:
        PolicyError: when a source's option has a value that TOML can't express.
        OSError: when the folder can't be written.
    """
    text = render_policy(policy)
    with replacing(path) as file:
        file.write_bytes(text.encode())


def render_policy(policy: Policy) -> str:
    """The text of demur.toml."""
    return "\n".join([*_comment(_HEAD), "", *_section(policy, (), set())]).rstrip("\n") + "\n"


def _section(section: Section, path: tuple[str, ...], explained: set[str]) -> Iterator[str]:
    """The lines of one table, its own keys before its tables; a comment is written the first time."""
    fields = type(section).model_fields
    values = {name: getattr(section, name) for name in fields}
    for name, info in fields.items():
        if not isinstance(values[name], Section | Mapping):
            yield from _once(meaning_of(type(section), name), explained)
            yield f"{info.alias or name} = {toml_value(values[name])}"
    for name, info in fields.items():
        if isinstance(values[name], Section | Mapping):
            yield from ("", *_once(meaning_of(type(section), name), explained))
            inner = (*path, info.alias or name)
            yield _header(inner)
            if isinstance(values[name], Section):
                yield from _section(values[name], inner, explained)
            else:
                yield from _free(values[name], inner, explained)


def _once(text: str, explained: set[str]) -> Iterator[str]:
    if text not in explained:
        explained.add(text)
        yield from _comment(text)


def _free(table: Mapping[str, object], path: tuple[str, ...], explained: set[str]) -> Iterator[str]:
    """A table whose keys are not known beforehand: the options of a source, the languages of a wording."""
    for key, value in table.items():
        if not isinstance(value, Section | Mapping):
            yield f"{_key(key)} = {toml_value(value, (*path, key))}"
    for key, value in table.items():
        if isinstance(value, Section | Mapping):
            inner = (*path, key)
            yield from ("", _header(inner))
            yield from (
                _section(value, inner, explained) if isinstance(value, Section) else _free(value, inner, explained)
            )


def toml_value(value: object, path: Sequence[str] = ()) -> str:
    """A value as TOML 1.0 writes it, on one line; None, which TOML lacks, is the empty text in a policy.

    Raises:
        PolicyError: for a value that TOML can't express, naming ``path``.
    """
    match value:
        case Enum():
            return toml_value(value.value, path)
        case list() | tuple():
            return f"[{', '.join(toml_value(each, path) for each in value)}]"
        case dict():
            inner = (f"{_key(key)} = {toml_value(each, (*path, key))}" for key, each in value.items())
            return f"{{{', '.join(inner)}}}"
        case None if not path:
            return '""'
    return _scalar(value, path)


def _scalar(value: object, path: Sequence[str]) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case datetime() | date() | time():
            return value.isoformat()
        case int() | float():
            return repr(value)
    name, kind = ".".join(path), type(value).__name__
    msg = f"`{name}` can't be written to demur.toml ({kind}): use text, numbers, days or lists."
    raise PolicyError(msg)


def _header(path: Sequence[str]) -> str:
    return f"[{'.'.join(_key(part) for part in path)}]"


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    """A basic string: control characters, which TOML does not allow, are escaped."""
    return '"' + "".join(_SHORT_ESCAPES.get(char) or _printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x20 or ord(char) == 0x7F else char  # noqa: PLR2004  # TOML 1.0


def _comment(text: str) -> list[str]:
    return [f"# {line}" for part in text.split("\n") for line in textwrap.wrap(" ".join(part.split()), _WIDTH)]
