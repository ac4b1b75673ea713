"""Posts shaped like real ones, as a Parquet table of any size, and a register of who objected.

Made up throughout. Shape (from 196,146 public chat lines and 5,009 posts, measured 2026-11): words by a Zipf law, 4 to
40 a post; authors by a heavy-tailed law; 35 % of posts with a handle of another author, 5 % with a quoted passage
whose account the markup names, 8 % with a web address, 1 % with a mail address, 0.5 % with a phone number, 4 % outside
ASCII; 60 % answer another post. No two posts are alike, so that no encoding gains from repetition.
"""

from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from demur.terms import ITEM

FOLDER: Final = Path(__file__).parent / "data"
CHUNK: Final = 100_000
EFFECTIVE: Final = date(2026, 1, 1)
PEOPLE_PER_POST: Final = 0.1
_WORDS: Final = 20_000

Ints = npt.NDArray[np.int64]


def accounts(people: Ints) -> list[str]:
    """The accounts of people by number."""
    return [f"forum:user_{person}" for person in people.tolist()]


def table(rows: int, folder: Path = FOLDER) -> Path:
    """The path of a Parquet file with ``rows`` posts, made if it is not there."""
    path = folder / f"posts-{rows}.parquet"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with pq.ParquetWriter(partial, ITEM, compression="zstd") as writer:
            for start in range(0, rows, CHUNK):
                writer.write_batch(_chunk(start, min(CHUNK, rows - start), rows))
        partial.rename(path)
    return path


def people(rows: int) -> int:
    """How many people there are among ``rows`` posts."""
    return max(int(rows * PEOPLE_PER_POST), 10)


class _Vocabulary:
    """Words with a trailing blank, end to end; `extra` come behind the plain ones."""

    def __init__(self, rng: np.random.Generator, extra: list[str]) -> None:
        letters = np.array(list("etaoinshrdlucmfwypvbgk"))
        plain = ["".join(letters[(rng.random(n) ** 2 * len(letters)).astype(int)]) for n in rng.integers(1, 10, _WORDS)]
        for at in range(40, _WORDS, 400):
            plain[at] = plain[at] + "éß🙂"[at // 400 % 3]
        words = [f"{word} " for word in plain + extra]
        encoded = [word.encode() for word in words]
        self.points = np.array([len(word) for word in words])
        self.sizes = np.array([len(word) for word in encoded])
        self.begins = np.concatenate([[0], np.cumsum(self.sizes)])[:-1]
        self.data = np.frombuffer(b"".join(encoded), np.uint8)

    def texts(self, words: Ints, counts: Ints) -> pa.Array:
        """Texts of ``counts`` words each, shape (rows,)."""
        sizes = self.sizes[words]
        ends = np.cumsum(sizes)
        at = np.arange(ends[-1]) + np.repeat(self.begins[words] - (ends - sizes), sizes)
        offsets = np.concatenate([[0], ends])[np.concatenate([[0], np.cumsum(counts)])]
        return pa.LargeStringArray.from_buffers(
            len(counts), pa.py_buffer(offsets.astype(np.int64)), pa.py_buffer(self.data[at])
        )


def _chunk(start: int, rows: int, total: int) -> pa.RecordBatch:
    rng = np.random.default_rng(start + 1)
    crowd = people(total)
    named = (rng.random(4 * CHUNK // 10) ** 3 * crowd).astype(np.int64)
    extra = [f"@user_{person}" for person in named.tolist()]
    special = len(extra)
    extra += [f"https://example.com/news/{number}" for number in rng.integers(0, 10**6, 2000).tolist()]
    extra += [f"user_{number}@mail.example" for number in rng.integers(0, 10**6, 1000).tolist()]
    extra += [f"+49 30 {number}" for number in rng.integers(10**6, 10**7, 1000).tolist()]
    vocabulary = _Vocabulary(rng, extra)
    counts = rng.integers(4, 40, rows)
    first = np.concatenate([[0], np.cumsum(counts)])[:-1]
    words = (rng.random(int(counts.sum())) ** 4 * _WORDS).astype(np.int64)
    for share, low, high in (
        (0.35, 0, special),
        (0.08, special, special + 2000),
        (0.01, special + 2000, special + 3000),
    ):
        _sprinkle(rng, words, first, counts, share, (_WORDS + low, _WORDS + high))
    _sprinkle(rng, words, first, counts, 0.005, (_WORDS + special + 3000, _WORDS + len(extra)))
    author = (rng.random(rows) ** 3 * crowd).astype(np.int64)
    number = np.arange(start, start + rows)
    back = 1 + rng.pareto(0.8, rows) * 3  # most answers are to recent posts, some to very old ones
    parent = np.where(
        (rng.random(rows) < 0.6) & (back <= number), number - np.minimum(back, number).astype(np.int64), -1
    )
    columns = {
        "item": pa.array([f"forum:{n}" for n in number.tolist()]),
        "author": pa.array(accounts(author)),
        "kind": pa.array(["post" if answer < 0 else "comment" for answer in parent.tolist()]),
        "audience": pa.array(np.where(rng.random(rows) < 0.97, "public", "followers")),
        "region": pa.array(np.array(["DE", "NO", "FR", "PL"])[author % 4]),
        "created": pa.array(1_700_000_000_000_000 + number * 1_000_003, pa.timestamp("us", "UTC")),
        "language": pa.array(np.array(["de", "nb", "fr", "pl"])[author % 4]),
        "text": vocabulary.texts(words, counts),
        "spans": _quotes(rng, vocabulary, words, first, counts, crowd),
        "parent": pa.array([None if p < 0 else f"forum:{p}" for p in parent.tolist()]),
        "thread": pa.array(
            [f"forum:{n if p < 0 else p // 50 * 50}" for n, p in zip(number.tolist(), parent.tolist(), strict=True)]
        ),
        "origin": pa.array(["first-party"] * rows),
    }
    arrays = [columns.get(field.name, pa.nulls(rows, field.type)) for field in ITEM]
    return pa.RecordBatch.from_arrays([a.cast(f.type) for a, f in zip(arrays, ITEM, strict=True)], schema=ITEM)


def _sprinkle(
    rng: np.random.Generator, words: Ints, first: Ints, counts: Ints, share: float, among: tuple[int, int]
) -> None:
    """Puts one word of a range into a share of the posts, at any place but the first."""
    rows = np.flatnonzero(rng.random(len(counts)) < share)
    at = first[rows] + 1 + (rng.random(len(rows)) * (counts[rows] - 1)).astype(np.int64)
    words[at] = rng.integers(*among, len(rows))


def _quotes(
    rng: np.random.Generator, vocabulary: _Vocabulary, words: Ints, first: Ints, counts: Ints, crowd: int
) -> pa.Array:
    """A quoted passage of three words at the start of 5 % of the posts."""
    rows = np.flatnonzero(rng.random(len(counts)) < 0.05)
    end = vocabulary.points[words[first[rows][:, None] + np.arange(3)]].sum(axis=1) - 1
    quoted = accounts((rng.random(len(rows)) ** 3 * crowd).astype(np.int64))
    flat = pa.StructArray.from_arrays(
        [
            pa.array(np.zeros(len(rows), np.int32)),
            pa.array(end.astype(np.int32)),
            pa.array(["quote"] * len(rows)),
            pa.array(quoted),
        ],
        fields=list(ITEM.field("spans").type.value_type),
    )
    offsets = np.searchsorted(rows, np.arange(len(counts) + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), flat)
