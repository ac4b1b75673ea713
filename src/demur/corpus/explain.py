"""Explaining: what became of an item, and what is left out now.

Invariants: an item that is not in the corpus has left its key and a reason with the import that left it out, and
nothing else; the last import whose ledger holds it is asked. What an import kept and an objection or the policy
removed later leaves no trace, and that is what is said then.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from demur.corpus import journal
from demur.corpus.imports import Counts, LastImport, in_order, last_imports, totals
from demur.corpus.outcomes import left_out_now
from demur.corpus.session import Session, reading
from demur.errors import CorpusError, UsageError
from demur.kernel import schema
from demur.terms import Reason
from demur.workspace import Workspace

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


def account_of_imports(workspace: Workspace) -> tuple[list[LastImport], Counts, dict[Reason, int]]:
    """The last import from each source, oldest first, all imports together, and what is left out now.

    The last is what versions say: each item by its last reading, whichever import that was.
    """
    with reading(workspace) as session:
        now = left_out_now(workspace.root, session.register, session.corpus)
        left_out = in_order({Reason(reason): count for reason, count in now.items()})
        return last_imports(session), totals(session), left_out


def _key(session: Session, item: str) -> bytes:
    if _KEY.fullmatch(item):
        return bytes.fromhex(item)
    if ":" not in item or not item.isprintable():
        raise UsageError(f"{item!r} is no item: give source:native-id, as its source does, or a key of 32 digits.")
    return session.keys.pepper.item_key(item)


def _masks(text: str) -> dict[str, int]:
    from demur.kernel.marks import MASKS  # noqa: PLC0415  # the kernel loads more than all the rest

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
