"""Declared data: data whose declaration says that nobody in it may object; all other data are personal.

A declaration is a TOML file beside the data, ``FILE.declared.toml``::

    name = "Laws and decisions of the federal courts"
    nobody_may_object = true
    declared_by = "the data protection officer"
    source = "https://..., downloaded 2026-03-01"
    licence = "official works, no copyright"

Invariants: without a declaration that says all of it, data are refused, as what they hold would stay in the base for
ever; what is declared is named in ``base.json`` with its SHA-256.
"""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import pyarrow as pa
import pyarrow.parquet as pq

from demur.errors import UsageError
from demur.suppression.signed import file_digest

SUFFIX: Final = ".declared.toml"
_TEXTS: Final = ("name", "declared_by", "source", "licence")
_KINDS: Final = {".txt": "text", ".jsonl": "JSON Lines", ".parquet": "Parquet"}


@dataclass(frozen=True)
class Declared:
    """One file of declared data."""

    path: Path
    name: str
    """What the data are called."""
    declared_by: str
    """Who declares that nobody in them may object."""
    source: str
    """Where they are from."""
    licence: str
    """What allows their use."""

    @classmethod
    def of(cls, path: Path) -> Self:
        """The data in a file, by the declaration beside it.

        Raises:
            UsageError: when there is none, or it does not say what it has to.
        """
        if path.suffix not in _KINDS or not path.is_file():
            raise UsageError(f"{path} can't be a base: give a .txt, .jsonl or .parquet file, or a checkpoint's folder.")
        beside = path.with_name(path.name + SUFFIX)
        try:
            said = tomllib.loads(beside.read_text("utf-8"))
        except FileNotFoundError:
            raise UsageError(
                f"{path} counts as personal, because nothing declares that nobody in it may object: write {beside.name}"
                " beside it, or import it into the corpus."
            ) from None
        except (OSError, ValueError) as error:
            raise UsageError(f"The declaration {beside} can't be read ({type(error).__name__}): correct it.") from None
        lacking = [name for name in _TEXTS if not isinstance(said.get(name), str) or not said[name].strip()]
        if lacking:
            raise UsageError(
                f"The declaration {beside} does not say `{lacking[0]}`: add it; until then {path} counts as personal."
            )
        if said.get("nobody_may_object") is not True:
            raise UsageError(
                f"The declaration {beside} does not say `nobody_may_object = true`: {path} counts as personal."
            )
        return cls(path, *(said[name].strip() for name in _TEXTS))

    def facts(self) -> dict[str, str]:
        """What ``base.json`` has of it."""
        facts = {name: getattr(self, name) for name in _TEXTS}
        return facts | {"sha256": file_digest(self.path)}

    def texts(self) -> Iterator[str]:
        """Its documents: paragraphs of a text file, the field `text` of each row of the others.

        Raises:
            UsageError: when it is not what it claims to be.
        """
        try:
            yield from (words for each in self._read() if (words := each.strip()))
        except (UnicodeDecodeError, ValueError, KeyError, TypeError, AttributeError, pa.ArrowException):
            kind = _KINDS[self.path.suffix]
            raise UsageError(f"{self.path} is no {kind} with a text in each row: correct it.") from None

    def _read(self) -> Iterator[str]:
        if self.path.suffix == ".parquet":
            with pq.ParquetFile(self.path) as file:
                for batch in file.iter_batches(columns=["text"]):
                    yield from batch.column("text").to_pylist()
            return
        with self.path.open(encoding="utf-8") as lines:
            if self.path.suffix == ".jsonl":
                yield from (json.loads(line)["text"] for line in lines if line.strip())
                return
            paragraph: list[str] = []
            for line in lines:
                if line.strip():
                    paragraph.append(line)
                    continue
                yield "".join(paragraph)
                paragraph = []
            yield "".join(paragraph)
