"""Explaining: what became of an item, and what every import kept and left out.

Invariants: an item that is not in the corpus has left its key and a reason with the import that left it out, and
nothing else; the last import whose ledger holds it is asked. What an import kept and an objection or the policy
removed later leaves no trace, and that is what is said then.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import pyarrow as pa

from demur.corpus import journal, schema
from demur.corpus.outcomes import left_out_now
from demur.corpus.session import Session, reading
from demur.errors import CorpusError, UsageError
from demur.register import JSON
from demur.terms import EntryKind, Reason
from demur.workspace import Workspace

T = TypeVar("T", bound=str)

_KEY: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Explanation:
    """What became of one item."""

    item: str
    """Its key, 32 hexadecimal digits."""
    kept: bool
    """Whether it is in the corpus."""
    masks: dict[str, int]
    """How many masks of each kind stand in its text."""
    left_out_by: int | None = None
    """The number of the last import that left it out, where it is not in the corpus."""
    reason: Reason | None = None
    """Why that import left it out."""
    imports: int = 0
    """The number of the last import of the workspace; later ones than :attr:`left_out_by` may have kept the item."""


@dataclass(frozen=True)
class Counts:
    """What one import, or all of them, did; read = kept + left out."""

    read: int
    kept: int
    replaced: int
    """Rows of earlier imports."""
    kinds: dict[str, int]
    """Items read by kind, "" where the source did not say."""
    left_out: dict[Reason, int]
    """In the order of terms.Reason."""


@dataclass(frozen=True)
class LastImport:
    """The last import from a source."""

    number: int
    source: str
    finished: datetime
    counts: Counts


def explain(workspace: Workspace, item: str) -> Explanation:
    """What became of ``item``: an item id as its source gives it, or an item key.

    Args:
        workspace: where.
        item: ``source:native-id``, or 32 hexadecimal digits.

    Raises:
        UsageError: when it is neither.
        CorpusError: when the ledger of an import is damaged.
    """
    with reading(workspace) as session:
        key = _key(session, item)
        row = session.corpus.item(key)
        if len(row):
            return Explanation(key.hex(), kept=True, masks=_masks(row.column("text")[0].as_py()))
        numbers = sorted(journal.finished(session.register))
        last = numbers[-1] if numbers else 0
        for number in reversed(numbers):
            reasons = _reasons(journal.ledger(workspace.root, number), key)
            if reasons:
                final = next((each for each in reversed(reasons) if each is not Reason.SUPERSEDED), None)
                # Only superseded readings: the same import kept the last one, so that no import left it out since.
                by = None if final is None else number
                return Explanation(key.hex(), kept=False, masks={}, left_out_by=by, reason=final, imports=last)
        return Explanation(key.hex(), kept=False, masks={}, imports=last)


def last_imports(session: Session) -> list[LastImport]:
    """The last import from each source, oldest first."""
    found: dict[str, LastImport] = {}
    for entry in session.register.entries(EntryKind.IMPORT_FINISHED):
        source, number = str(entry.payload["source"]), int(str(entry.payload["number"]))
        found.pop(source, None)
        found[source] = LastImport(number, source, entry.time, _counts(entry.payload))
    return list(found.values())


def account_of_imports(workspace: Workspace) -> tuple[list[LastImport], Counts, dict[Reason, int]]:
    """The last import from each source, oldest first, all imports together, and what is left out now.

    The last is what versions say: each item by its last reading, whichever import that was.
    """
    with reading(workspace) as session:
        now = left_out_now(workspace.root, session.register, session.corpus)
        return last_imports(session), _totals(session), _in_order({Reason(reason): n for reason, n in now.items()})


def _totals(session: Session) -> Counts:
    """An item that several imports read is counted in each of them."""
    every = [_counts(entry.payload) for entry in session.register.entries(EntryKind.IMPORT_FINISHED)]
    return Counts(
        read=sum(each.read for each in every),
        kept=sum(each.kept for each in every),
        replaced=sum(each.replaced for each in every),
        kinds=dict(sorted(_sum(each.kinds for each in every).items())),
        left_out=_in_order(_sum(each.left_out for each in every)),
    )


def _key(session: Session, item: str) -> bytes:
    if _KEY.fullmatch(item):
        return bytes.fromhex(item)
    if ":" not in item or not item.isprintable():
        raise UsageError(f"{item!r} is no item: give source:native-id, as its source does, or a key of 32 digits.")
    return session.keys.pepper.item_key(item)


def _masks(text: str) -> dict[str, int]:
    from demur.corpus.kernel.marks import MASKS  # noqa: PLC0415  # the kernel loads more than all the rest

    counts = {mask.decode(): text.count(mask.decode()) for mask in MASKS}
    return {mask: count for mask, count in counts.items() if count}


def _reasons(ledger: Path, key: bytes) -> list[Reason]:
    """The reasons for which an import left out readings of an item, in the order of reading."""
    import pyarrow.dataset as ds  # noqa: PLC0415  # it loads pandas, where that is installed

    wanted = ds.field("item") == pa.scalar(key, schema.KEY)
    try:
        table = ds.dataset(ledger, format="parquet").to_table(columns=["reason"], filter=wanted, use_threads=False)
    except FileNotFoundError:
        return []
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{ledger} can't be read ({type(error).__name__}): restore it from your backup.") from None
    return [Reason(reason) for reason in table.column("reason").to_pylist()]


def _counts(payload: Mapping[str, JSON]) -> Counts:
    left_out = {Reason(reason): count for reason, count in _numbers(payload["left_out"])}
    numbers = {name: int(str(payload[name])) for name in ("read", "kept", "replaced")}
    return Counts(**numbers, kinds=dict(_numbers(payload["kinds"])), left_out=_in_order(left_out))


def _numbers(value: JSON) -> Iterator[tuple[str, int]]:
    assert isinstance(value, Mapping)
    return ((name, int(str(count))) for name, count in value.items())


def _sum(counts: Iterable[Mapping[T, int]]) -> Counter[T]:
    total: Counter[T] = Counter()
    for each in counts:
        total.update(each)
    return total


def _in_order(counts: Mapping[Reason, int]) -> dict[Reason, int]:
    return {reason: counts[reason] for reason in Reason if counts.get(reason)}
