"""What a path may be taken for: each source says so from a look at names and first bytes.

Invariants: looking costs no more than listing an export and reading 64 KB of some of its files; a source that says
nothing of what it reads, as a plugin may, is listed and never guessed; nothing is imported by guess alone.
"""

import re
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple, Protocol, Self, runtime_checkable

from demur.sources.archive import Member
from demur.sources.base import load_source, source_names
from demur.sources.exports import members_at

_PEEK: Final = 1 << 16


class Glimpse:
    """What stands at a path. A context manager, which closes what was opened."""

    def __init__(self, path: str) -> None:
        """Look at ``path``, which exists.

        Raises:
            SourceError: when it is an export that is broken or unsafe.
        """
        self.path = path
        self._stack = ExitStack()
        self._starts: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def members(self) -> list[Member]:
        """Every file of it, or the file it is."""
        return members_at([self.path], r".*", self._stack)

    @property
    def alone(self) -> bool:
        """Whether it is one file, and no export."""
        return Path(self.path).is_file() and len(self.members) == 1 and self.members[0].name == Path(self.path).name

    @property
    def unpacked(self) -> bool:
        """Whether its files lie there as they are, in no zip or tar: some sources read nothing else."""
        return Path(self.path).is_dir() or self.alone

    def named(self, pattern: str) -> list[Member]:
        r"""The files whose path from some folder on matches, whatever the case: ``outbox\.json``."""
        wanted = re.compile(rf"(?:.*/)?(?:{pattern})", re.IGNORECASE)
        return [member for member in self.members if wanted.fullmatch(member.name)]

    def has(self, *patterns: str) -> bool:
        """Whether each pattern matches a file."""
        return all(self.named(pattern) for pattern in patterns)

    def start(self, pattern: str) -> bytes:
        """The first 64 KB of the first file that matches, without a byte order mark; nothing where none does."""
        found = self.named(pattern)
        if not found:
            return b""
        if found[0].name not in self._starts:
            with found[0].open() as file:
                self._starts[found[0].name] = file.read(_PEEK).removeprefix(b"\xef\xbb\xbf")
        return self._starts[found[0].name]


@runtime_checkable
class Sniffing(Protocol):
    """A source that says what it reads. Sources may do without."""

    reads: str
    """In a line: what a user has to give. One that reads what others know better says ``general = True``, too."""

    def sniff(self, seen: Glimpse) -> bool:
        """Whether it takes what was seen for its own, from names and first bytes alone."""
        ...


class Described(NamedTuple):
    """A source, as a list of them shows it."""

    name: str
    reads: str
    """In a line; empty where it does not say."""
    page: str
    """Its page of the documentation; empty for a plugin's."""


def described() -> list[Described]:
    """Every source, by name."""
    loaded = {name: load_source(name) for name in source_names()}
    return [Described(name, getattr(one, "reads", ""), _page(name, one)) for name, one in loaded.items()]


def _page(name: str, source: object) -> str:
    return f"docs/sources/{name}.md" if type(source).__module__.startswith("demur.sources.") else ""


def fitting(paths: Sequence[str]) -> list[str]:
    """The sources that take all of ``paths`` for theirs, by name.

    Raises:
        SourceError: when one of them does not exist, or is an export that is broken or unsafe.
    """
    known = {name: one for name in source_names() if isinstance(one := load_source(name), Sniffing)}
    for path in paths:
        with Glimpse(path) as seen:
            assert seen.members is not None  # what is broken is told by itself, and not by every source
            known = {name: one for name, one in known.items() if one.sniff(seen)}
    special = [name for name, one in known.items() if not getattr(one, "general", False)]
    return special or list(known)
