"""demur.toml -> Policy, or one sentence that says what to change; and the file watched while a process runs for long.

Invariants: the answer is a valid policy or a PolicyError, never something in between; of several mistakes the one that
stands first in the file is told; a value that may be a secret (the register's URL) is never repeated. Of a file that
is watched an edit counts from the next look on: the policy is what demur.toml says now, as far as it can be read (in
the middle of an edit the last good one stays). A look that finds nothing new costs one question to the file system;
threads may share it.
"""

import re
import threading
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from demur.errors import PolicyError, nearest, suggestion
from demur.policy.model import FORMAT, NOT_YET, Policy
from demur.policy.text import locate, toml_value

_TOML_LINE: Final = re.compile(r"^(?P<what>.*?)\s*\(at line (?P<line>\d+), column \d+\)$", re.DOTALL)
_CHOICE: Final = re.compile(r"'([^']*)'")
_MOST_BYTES: Final = 2**20
"""Of a demur.toml; every wording in every language takes a tenth of that."""
_LAST: Final = 2**31
"""A line after every other one: where a missing key is told."""

_COMPLAINTS: Final[Mapping[str, Callable[[dict[str, Any]], str]]] = {
    "bool_type": lambda _: "write true or false",
    "int_type": lambda _: "write a whole number",
    "string_type": lambda _: "write text in quotation marks",
    "tuple_type": lambda _: 'write a list, like ["public"]',
    "model_type": lambda _: "this is the name of a table, not of a key",
    "dict_type": lambda _: "this is the name of a table, not of a key",
    "greater_than_equal": lambda context: f"write {context['ge']} or more",
    "less_than_equal": lambda context: f"write {context['le']} or less",
}
_Version: TypeAlias = tuple[int, ...]
"""What changes when the file does; empty while there is none."""


def load_policy(path: Path) -> Policy:
    """The policy in ``path``.

    Raises:
        PolicyError: when the file is missing, no TOML, of a newer format, or does not hold together.
    """
    text = _read(path)
    try:
        said = _said(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(_broken(path, error)) from None
    except RecursionError:
        raise PolicyError(f"{path} holds lists or tables within each other without end: correct it.") from None
    except ValidationError as error:
        told = [(_line(text, each["loc"]), each) for each in error.errors()]
        line, first = min(told, key=lambda each: each[0] or _LAST)
        where = f" in {path}" + (f" line {line}" if line else "")
        raise PolicyError(_sentence(where, first)) from None
    if isinstance(said, int):
        raise PolicyError(f"{path} has format {said}, written by a newer version of demur: update demur to read it.")
    return said


@lru_cache(maxsize=16)
def _said(text: str) -> Policy | int:
    """What the text of a file says, or its format if that is a newer one.

    A command asks several times, and most of what it takes to answer is to read TOML.

    Raises:
        TOMLDecodeError: when it is no TOML.
        RecursionError: when it nests too deep.
        ValidationError: when it does not hold together.
    """
    table = tomllib.loads(text)
    newer = table.get("format")
    if isinstance(newer, int) and newer > FORMAT:
        return newer
    return Policy.model_validate(table, by_alias=True, by_name=False)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise PolicyError(f"{path} has more than {_MOST_BYTES // 2**20} MB: this is no demur.toml.")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise PolicyError(f"{path} line {line} is not UTF-8: save the file as UTF-8.") from None
    except FileNotFoundError:
        raise PolicyError(f"{path} does not exist: `demur init` writes one.") from None
    except OSError as error:
        raise PolicyError(f"{path} can't be read ({error.strerror}): check the file.") from None


def _broken(path: Path, error: tomllib.TOMLDecodeError) -> str:
    match = _TOML_LINE.match(str(error))
    what, line = (match["what"], f" line {match['line']}") if match else (str(error), "")
    return f"{path}{line} is no valid TOML ({what[:1].lower()}{what[1:]}): correct that line."


def _line(text: str, location: Sequence[int | str]) -> int | None:
    """The line of a key, or of the nearest table around it that stands in the file."""
    parts = [part for part in location if isinstance(part, str)]
    found = (locate(text, parts[:length]) for length in range(len(parts), 0, -1))
    return next((line for line in found if line is not None), None)


def complaint(error: ValidationError) -> str:
    """The first mistake of a policy that does not come from a file, as a sentence."""
    return _sentence("", error.errors()[0])


def _sentence(where: str, error: ErrorDetails) -> str:
    """One mistake; ``where`` is the file and line, with a space before it."""
    key = ".".join(part for part in error["loc"] if isinstance(part, str))
    if error["type"] == "extra_forbidden":
        if key in NOT_YET:
            return (
                f"`{key}`{where} asks for {NOT_YET[key]}, which this demur can't do yet: take the line away, and let "
                "pictures in only where you can do without it."
            )
        known = _known(error["loc"][:-1])
        return f"Unknown key `{key}`{where}: {suggestion(str(error['loc'][-1]), known)}"
    if error["type"] == "missing":
        return f"`{key}` is missing{where}: add a line, for instance {key} = 2026-12-31."
    what = _complaint(error)
    return f"`{key}`{where} {what}{'' if what.endswith('?') else '.'}"


def _known(location: Sequence[int | str]) -> list[str]:
    """The keys of the table at ``location``."""
    model: type[BaseModel] = Policy
    for part in location:
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        if part in fields:  # a language of [notice.wording] is none: its table is known from the key before it
            model = _table(fields[str(part)].annotation)
    return [info.alias or name for name, info in model.model_fields.items()]


def _table(annotation: object) -> type[BaseModel]:
    """The model of a table, or of each table of a mapping."""
    inner = get_args(annotation)[-1] if get_args(annotation) else annotation
    assert isinstance(inner, type)
    assert issubclass(inner, BaseModel)
    return inner


def _choice(error: ErrorDetails) -> str:
    choices = _CHOICE.findall(error["ctx"]["expected"])
    match = nearest(error["input"], choices) if isinstance(error["input"], str) else None
    hint = f"did you mean {toml_value(match)}?" if match else f"write {' or '.join(map(toml_value, choices))}"
    return f"has {_shown(error['input'])}: {hint}"


def _complaint(error: ErrorDetails) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] in {"enum", "literal_error"}:
        return "is not 1: write 1" if error["loc"] == ("format",) else _choice(error)
    context: dict[str, Any] = error.get("ctx", {})
    hint = _COMPLAINTS[error["type"]](context) if error["type"] in _COMPLAINTS else error["msg"]
    return f"is {_shown(error['input'])}: {hint}"


def _shown(value: object) -> str:
    """A wrong value as it stands in the file; only simple ones are repeated."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    return toml_value(value)


class WatchedPolicy:
    """The policy that a file says."""

    def __init__(self, path: Path, unreadable: Callable[[PolicyError], None] = lambda _: None) -> None:
        """Read the file.

        Args:
            path: of demur.toml.
            unreadable: is told, once for each edit, that the file can't be read.

        Raises:
            PolicyError: when it can't be read now, or does not hold together.
        """
        self._path = path
        self._unreadable = unreadable
        self._lock = threading.Lock()
        self._seen = self._told = _version(path)
        self._policy = load_policy(path)

    def now(self) -> Policy:
        """What the file says now, or said when it could last be read."""
        if (version := _version(self._path)) != self._seen:
            with self._lock:
                self._read(version)
        return self._policy

    def _read(self, version: _Version) -> None:
        try:
            self._policy = load_policy(self._path)
        except PolicyError as error:  # somebody is editing it: the next look tries again
            if version != self._told:
                self._told = version
                self._unreadable(error)
            return
        self._seen = self._told = version


def _version(path: Path) -> _Version:
    try:
        known = path.stat()
    except OSError:
        return ()
    return known.st_mtime_ns, known.st_size, known.st_ino
