"""Which columns of a table of members are which field, as ``[sources.members]`` of ``demur.toml`` maps them.

Invariants: a column called like a field of MEMBER is that field unless another one is mapped to it; a column that is
none is passed over only where columns are mapped and it is not like a field that nothing was mapped to, so that no
misspelt one is lost in silence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import Field

from demur.errors import SourceError, nearest, suggestion
from demur.register import MEMBER
from demur.sources.base import Options
from demur.spelling import DEFAULT, Names

SECTION: Final = "[sources.members] of demur.toml"
"""Where columns are mapped, for error sentences."""
LISTS: Final = ("names", "linked")
"""The fields that are lists, which several columns may make."""
_TOLD: Final = 20


class MemberOptions(Options):
    """``[sources.members]`` of ``demur.toml``."""

    columns: dict[str, str | list[str]] = Field(default_factory=dict)
    """Field -> column, for instance ``columns.account = "username"``; for names and linked also a list of columns."""
    values: dict[str, str | int | bool] = Field(default_factory=dict)
    """Field -> one value for all members, for instance ``values.region = "DE"``."""
    namespace: str | None = None
    """The namespace of accounts that name none; otherwise that of the portal."""
    delimiter: str | None = None
    """What separates the fields of CSV; otherwise what its first lines say."""
    encoding: str | None = None
    """What the text is in, for instance ``windows-1252``; otherwise UTF-8, or UTF-16 that begins so."""


@dataclass
class Reading:
    """How members are read, and what became of it."""

    options: MemberOptions = field(default_factory=MemberOptions)
    names: Names = DEFAULT
    """How the policy spells accounts."""
    lenient: bool = False
    """Whether a record that can't be read is counted and passed over, instead of being an error."""
    refused: int = 0
    """Records that were passed over."""
    why: list[str] = field(default_factory=list)
    """A sentence for each of the first of these."""
    taken: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """File -> field -> its columns."""
    unused: dict[str, list[str]] = field(default_factory=dict)
    """File -> the columns that are no field."""

    def refuse(self, error: SourceError) -> None:
        """Count a record that can't be read.

        Raises:
            SourceError: unless the reading is lenient.
        """
        if not self.lenient:
            raise error
        self.refused += 1
        if len(self.why) < _TOLD:
            self.why.append(str(error))

    def columns(self, path: Path, found: Iterable[str]) -> None:
        """Decide which columns of a file are which field; JSON may bring further ones line by line.

        Raises:
            SourceError: for a column that is missing, there twice, or looks like a field misspelt.
        """
        names = list(found)
        if len(set(names)) < len(names):
            raise SourceError(f"{path} has a column twice: name each once.")
        mapped = {name: [part] if isinstance(part, str) else part for name, part in self.options.columns.items()}
        elsewhere = {column for columns in mapped.values() for column in columns}
        taken = self.taken.setdefault(str(path), dict(mapped))
        unused = self.unused.setdefault(str(path), [])
        for name in names:
            if name in MEMBER.names and name not in mapped and name not in elsewhere:
                taken[name] = [name]
            elif name not in elsewhere and name not in unused:
                self._pass_over(path, name)
                unused.append(name)
        if "account" not in taken and "account" not in self.options.values:
            raise SourceError(f"{path} has no column `account`: add it, with values like instagram:ann.")

    def _pass_over(self, path: Path, name: str) -> None:
        """A column is no field: fine where others are mapped and it is not like one that nothing was mapped to.

        Raises:
            SourceError: otherwise.
        """
        missing = [each for each in MEMBER.names if each not in self.options.columns]
        if not self.options.columns or nearest(str(name), missing) is not None:
            raise SourceError(f"{path} has an unknown column `{name}`: {suggestion(str(name), MEMBER.names)}")

    def check(self, path: Path, names: Sequence[str]) -> None:
        """Refuse a table that lacks a column which is mapped.

        Raises:
            SourceError: naming it.
        """
        for name, columns in self.options.columns.items():
            for column in [columns] if isinstance(columns, str) else columns:
                if column not in names:
                    told = f"{path} has no column `{column}` for `{name}`, as {SECTION} says"
                    raise SourceError(f"{told}: {suggestion(column, names)}")


def member_options(options: Mapping[str, object], namespace: str = "") -> MemberOptions:
    """The options of ``[sources.members]``; ``namespace`` is that of the portal.

    Raises:
        SourceError: for an unknown key or field, or a value that does not fit.
    """
    parsed = MemberOptions.parse("members", options)
    for key, fields in (("columns", parsed.columns), ("values", parsed.values)):
        for name in fields:
            if name not in MEMBER.names:
                hint = suggestion(name, MEMBER.names)
                raise SourceError(f"demur.toml, [sources.members] {key}: a member has no field `{name}`: {hint}")
    for name, columns in parsed.columns.items():
        if not isinstance(columns, str) and name not in LISTS:
            raise SourceError(f"demur.toml, [sources.members] columns: `{name}` is one column, not a list of them.")
    return parsed.model_copy(update={"namespace": parsed.namespace or namespace or None})
