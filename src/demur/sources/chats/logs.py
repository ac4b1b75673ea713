"""Log files: which files are logs, under which names, and their lines, block by block.

Invariants: a file is read once however often it is given; no two logs share a name, because items are named by
log and line, whatever a log is packed in; a block holds whole lines, and memory holds one block; a line of another
encoding costs that line nothing but its accents.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demur.errors import SourceError
from demur.sources import meter
from demur.sources.limits import MAX_LINE
from demur.sources.opened import PACKED, ending, known_encoding, look, reached

_BLOCK_BYTES: Final = 2**20
_SUFFIXES: Final = (".log", ".txt", ".weechatlog")


@dataclass
class Log:
    """One log file."""

    path: Path
    name: str
    """Its path without suffix, from the folder that was given."""
    channel: str | None = None
    """The channel it is of, if one is known."""


def find_logs(paths: Sequence[str]) -> list[Log]:
    """The logs at ``paths``, in the order given and by name within a folder (``*.log`` and ``*.txt``).

    Raises:
        SourceError: when there is none, a path does not exist, or two logs have the same name.
    """
    logs: dict[Path, Log] = {}
    others = 0
    for given in map(Path, paths):
        if not given.exists():
            raise SourceError(f"{given} does not exist: give log files or a folder of them.")
        for path in sorted(given.rglob("*")) if given.is_dir() else [given]:
            if path == given or (ending(path) in _SUFFIXES and path.is_file()):
                logs.setdefault(path.resolve(), Log(path, _name(path, given)))
            else:
                others += path.is_file()
    if others:
        meter.tell(
            f"{others:,} {'file ends' if others == 1 else 'files end'} neither with .log nor with .txt: not read."
        )
    if not logs:
        raise SourceError(f"{', '.join(paths)}: there is no .log or .txt file: give the folder of the logs.")
    _refuse_twins(list(logs.values()))
    meter.expect(2 * path.stat().st_size for path in logs)  # for the nicks, and again for what they say
    return list(logs.values())


def _name(path: Path, given: Path) -> str:
    name = path.relative_to(given).as_posix() if path != given else path.name
    if path.suffix.lower() in PACKED:
        name, path = name.removesuffix(path.suffix), path.with_suffix("")
    return name.removesuffix(path.suffix) if path.suffix.lower() in _SUFFIXES else name


def _refuse_twins(logs: Sequence[Log]) -> None:
    named: dict[str, Log] = {}
    for log in logs:
        twin = named.setdefault(log.name, log)
        if twin is not log:
            raise SourceError(
                f"{twin.path} and {log.path} have the same name: give the folder that holds both, "
                "so that their items can be told apart."
            )


def blocks(path: Path, encoding: str) -> Iterator[str]:
    """The text of a log in blocks of whole lines, without the line feed that ends a block.

    Lines are UTF-8, or UTF-16 where the file begins so; one that is not is read in ``encoding``, and that is told.

    Raises:
        SourceError: when the file can't be read, a line is too long to be one, or there is no such encoding.
    """
    encoding = known_encoding(encoding)
    rest = b""
    at = 0
    try:
        with look(path).open() as file:
            while block := file.read(_BLOCK_BYTES):
                meter.count(-at + (at := reached(file)))
                lines, newline, rest = (rest + block).rpartition(b"\n")
                if _has_long_line(lines, rest):
                    raise SourceError(
                        f"{path}: a line has more than {MAX_LINE // 1024} KB: this is no log; leave it out."
                    )
                if newline:
                    yield _decoded(lines, path, encoding)
    except OSError as error:
        raise SourceError(f"{path} can't be read ({error.strerror}): check that it is a readable file.") from None
    if rest:
        yield _decoded(rest, path, encoding)


def _has_long_line(lines: bytes, rest: bytes) -> bool:
    """Whether a line exceeds ``MAX_LINE``."""
    if len(rest) > MAX_LINE:
        return True
    return len(lines) > MAX_LINE and any(len(line) > MAX_LINE for line in lines.split(b"\n"))


def _decoded(lines: bytes, path: Path, encoding: str) -> str:
    try:
        return lines.decode()
    except UnicodeDecodeError:
        meter.tell(
            f"{path}: lines that are not UTF-8 are read as {encoding.upper()}: if names look odd, write what they are "
            'in, like encoding = "koi8-r" in [sources.irc] of demur.toml.'
        )
        return "\n".join(_decoded_line(line, encoding) for line in lines.split(b"\n"))


def _decoded_line(line: bytes, encoding: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode(encoding, "replace")
