"""Pictures of items, beside the rows that show them (ADR 0053).

Invariants: a picture rests here only while a row of the corpus shows it: its item has a row, and the row's ``media``
holds its ``uri``; it is what was made of a file (upright, smaller, without metadata), never the file itself. No version
of these lines is ever kept for its own sake: none is tagged, and whoever takes lines away has their bytes removed
before it is done (:meth:`Pictures.tidy`). Fragments are small, so that what is removed costs a few hundred pictures'
rewriting and not all of them.
"""

from collections.abc import Iterator
from typing import ClassVar, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from demur.corpus.datasets.base import ADDRESS, Addresses, Indices
from demur.corpus.datasets.compaction import remove_old_files, rewrite_deleted
from demur.corpus.datasets.keyed import Keyed
from demur.kernel.schema import KEY
from demur.store import Place
from demur.words.page import short_keys

_RAW: Final = {"lance-encoding:compression": "none"}
"""Pictures are packed as they are; stored as they are, a look into the files tells whether one is gone."""

SHOWN: Final = pa.schema([pa.field("item", pa.int64(), nullable=False), pa.field("uri", pa.string(), nullable=False)])
"""Which picture: the short form of its item's key, and what the row's `media.uri` says."""

SCHEMA: Final = pa.schema(
    [
        *SHOWN,
        pa.field("key", KEY, nullable=False),  # of the item, whole
        pa.field("author", pa.int64(), nullable=False),  # of the row
        pa.field("type", pa.string(), nullable=False),  # media type, RFC 6838
        pa.field("width", pa.int32(), nullable=False),  # pixels
        pa.field("height", pa.int32(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),  # bytes of `image`
        pa.field("digest", pa.binary(32), nullable=False),  # SHA-256 of `image`
        pa.field("reader", pa.int16(), nullable=False),  # pictures.reading.READER
        pa.field("image", pa.large_binary(), nullable=False, metadata=_RAW),
    ]
)

ABOUT: Final = tuple(name for name in SCHEMA.names if name != "image")
"""All that is said of a picture but itself."""

_AT_ONCE: Final = 32
"""Pictures that are read into memory at once: at most some tens of megabytes."""


class Pictures(Keyed):
    """The pictures of a workspace."""

    CALLED = "pictures"
    FOLDER = "pictures.lance"
    SCHEMA = SCHEMA
    FRAGMENT_ROWS: ClassVar[int] = 512
    INDICES: ClassVar[Indices] = {"item": "BTREE"}
    _place: Place | None = None

    @classmethod
    def view(cls, path: Place, version: int | None = None) -> Self:
        """As of :class:`demur.corpus.datasets.base.Dataset`; where nothing is yet, :meth:`begin` makes room."""
        found = super().view(path, version)
        found._place = path  # noqa: SLF001  # its own
        return found

    @property
    def there(self) -> bool:
        """Whether there is room for pictures on disk, if only empty."""
        return self._opened is not None

    def begin(self) -> None:
        """Make room, where there was none."""
        assert self._place is not None  # it was viewed
        made = type(self).create(self._place)
        self._dataset, self.storage = made.dataset, made.storage

    def of(self, shown: pa.Table) -> pa.Table:
        """All but the bytes of those of some pictures that are here, with their addresses.

        Args:
            shown: which, of :data:`SHOWN`.
        """
        wanted = [*ABOUT]
        if not self.there or not len(shown):
            return self._schema(wanted).empty_table()
        found = self.where("item", np.unique(shown.column("item").to_numpy()), wanted)
        return _only(found, shown)

    def remove(self, shown: pa.Table) -> int:
        """Take some pictures away, in one commit; how many there were. Their bytes go with :meth:`tidy`."""
        gone = addresses_of(self.of(shown))
        if len(gone):
            self.commit(gone, [], {"demur": "honour"})
        return len(gone)

    def clear(self, larger_than: int = 0) -> int:
        """Take away those whose longer side has more pixels; how many there were."""
        gone = [np.zeros(0, np.uint64)]
        for batch in self.batches(["width", "height"]) if self.count() else ():
            longer = np.maximum(batch.column("width").to_numpy(), batch.column("height").to_numpy())
            gone.append(batch.column(ADDRESS).to_numpy()[longer > larger_than].astype(np.uint64))
        addresses = np.concatenate(gone)
        if len(addresses):
            self.commit(addresses, [], {"demur": "policy"})
        return len(addresses)

    def images(self, addresses: Addresses) -> Iterator[bytes]:
        """The bytes of the pictures at some addresses, in their order."""
        for start in range(0, len(addresses), _AT_ONCE):
            some = pa.array(addresses[start : start + _AT_ONCE])
            taken = self.dataset._take_rows(some, ["image"])  # noqa: SLF001  # the only take by address
            yield from taken.column("image").to_pylist()

    def tidy(self) -> int:
        """Has no file hold the bytes of what was taken away; bytes removed. It costs little where nothing was.

        Whoever reads an earlier version of these lines finds it gone, and begins anew.
        """
        if not self.there or len(self.dataset.versions()) == 1:
            return 0
        if any(each.metadata.num_deletions for each in self.dataset.get_fragments()):
            rewrite_deleted(self)
        if self.count():
            self.index()
        return remove_old_files(self)

    def total(self) -> int:
        """Bytes of all pictures together."""
        return sum(pc.sum(batch.column("size")).as_py() or 0 for batch in self.batches(["size"])) if self.count() else 0


def shown_in(rows: pa.RecordBatch) -> pa.Table:
    """The pictures that rows show, of :data:`SHOWN`: what stands in their ``media`` and has a URI."""
    media = rows.column("media")
    uri = media.flatten().field("uri")
    items = pa.array(short_keys(rows.column("item"))).take(pc.list_parent_indices(media))
    found = pa.Table.from_arrays([items, uri], schema=SHOWN.with_metadata(None))
    return found.filter(pc.is_valid(uri))


def no_longer(before: pa.Table, after: pa.Table) -> pa.Table:
    """The pictures of one table of :data:`SHOWN` that another does not have."""
    if not len(before) or not len(after):
        return before
    kept = set(zip(*after.to_pydict().values(), strict=True))
    stays = [each not in kept for each in zip(*before.to_pydict().values(), strict=True)]
    return before.filter(pa.array(stays, pa.bool_()))


def addresses_of(found: pa.Table) -> Addresses:
    """Where some lines lie."""
    return np.asarray(found.column(ADDRESS).to_numpy().astype(np.uint64))


def _only(found: pa.Table, shown: pa.Table) -> pa.Table:
    """The lines of some pictures among those of their items."""
    wanted = set(zip(*shown.select(SHOWN.names).to_pydict().values(), strict=True))
    held = zip(*found.select(SHOWN.names).to_pydict().values(), strict=True)
    return found.filter(pa.array([each in wanted for each in held], pa.bool_()))
