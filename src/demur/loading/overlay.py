"""Which rows of a version may not be handed out as they stand, by their places; and batches without these.

A row's place is its number in the version, from 0, in the order in which a version is read and exported. It never
changes, so that a place says where a reader was, whatever was left out before it.

Invariants: an overlay never changes (a newer head makes another one); a row that is gone is in no batch that went
through it; a rewritten row stands where it stood; a batch that no row is concerned of is passed on as it is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demur.corpus.datasets.base import Addresses
from demur.versions.export_form import EXPORTED, to_hex

if TYPE_CHECKING:
    from demur.corpus.regoverning import Part

Places = npt.NDArray[np.int64]
"""Places of rows, ascending, once each; shape (n,)."""

NOWHERE: Final[Places] = np.zeros(0, np.int64)
_NO_ROWS: Final = pa.RecordBatch.from_pylist([], schema=EXPORTED)


@dataclass(frozen=True, eq=False)
class Overlay:
    """What the head says of a version's rows."""

    gone: Places = field(default_factory=lambda: NOWHERE)
    """Rows that are left out."""
    changed: Places = field(default_factory=lambda: NOWHERE)
    """Rows that are handed out as :attr:`rows` has them."""
    rows: pa.RecordBatch = field(default_factory=lambda: _NO_ROWS)
    """Schema EXPORTED, in the order of :attr:`changed`."""

    def touches(self, places: Places) -> bool:
        """Whether any of some places is concerned."""
        return any(len(_among(some, places)[0]) for some in (self.gone, self.changed))

    def applied(self, batch: pa.RecordBatch, places: Places) -> tuple[pa.RecordBatch, Places]:
        """Rows as they may be handed out, and their places.

        Args:
            batch: columns of EXPORTED.
            places: where its rows stand.
        """
        gone, _ = _among(self.gone, places)
        changed, news = _among(self.changed, places)
        if not (len(gone) or len(changed)):
            return batch, places
        stays = np.ones(len(places), bool)
        stays[gone] = False
        take = np.arange(len(places))
        if len(changed):
            take[changed] = len(places) + np.arange(len(changed))
            fresh = self.rows.select(batch.schema.names).take(pa.array(news)).cast(batch.schema)
            batch = pa.concat_batches([batch, fresh])
        return batch.take(pa.array(take[stays])), places[stays]


PlacesOf = Callable[[pa.Array, Addresses], Places]
"""Tells where rows stand, by their item keys or by Lance's addresses (rows.Rows.places_of); -1: nowhere here."""


def overlay_of(parts: Iterable["Part"], places_of: PlacesOf) -> Overlay:
    """What the parts of a version that went through the kernel again make of its rows."""
    gone, changed, rows = [NOWHERE], [NOWHERE], [_NO_ROWS]
    for part in parts:
        places = places_of(part.stored.column("item"), part.addresses)
        left_out, differs = places[part.left_out], places[part.differs]
        kept = part.answer.kept.filter(pa.array(part.differs[~part.left_out]))
        gone.append(left_out[left_out >= 0])
        changed.append(differs[differs >= 0])
        rows.append(to_hex(kept.filter(pa.array(differs >= 0))).cast(EXPORTED))
    where, first = np.unique(np.concatenate(changed), return_index=True)
    news = pa.Table.from_batches(rows, EXPORTED).take(pa.array(first)).combine_chunks().to_batches()
    return Overlay(np.unique(np.concatenate(gone)), where, news[0] if news else _NO_ROWS)


def _among(wanted: Places, places: Places) -> tuple[Places, Places]:
    """Where some of ``wanted`` stand among ascending places, and which of them these are: both as numbers from 0."""
    if not len(places):
        return NOWHERE, NOWHERE
    begin, end = np.searchsorted(wanted, [places[0], places[-1] + 1])
    at = np.searchsorted(places, wanted[begin:end])
    here = places[at] == wanted[begin:end]
    return at[here], begin + np.flatnonzero(here)
