"""Where in the text of demur.toml a key stands, so that every sentence about a key can name its line.

Invariants: only text that is valid TOML up to the key is asked about; a key that is left out has no line, and
the line of a table inside it is never invented.
"""

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

FILE_NAME: Final = "demur.toml"

KeyPath = tuple[str, ...]


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
