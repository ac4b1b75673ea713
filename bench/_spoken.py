"""The posts of ``_posts`` as people speak: sentences, greetings, sign-offs, and names that objectors bear, too.

Invented throughout: given names and surnames are drawn from the lists that ship with demur and put together at random.
Of the posts 12 % begin with a greeting and a given name, 6 % end with a given name as signature, 8 % hold a given name
and 3 % a full name within. Names come by a heavy-tailed law, as given names do: some hundred of them make most.
"""

from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import _posts as posts
from demur.people.lexicon import given_names, is_given

GREETED: Final = 0.12
SIGNED: Final = 0.06
GIVEN: Final = 0.08
FULL: Final = 0.03
_SURNAMES: Final = 20_000
_ENDINGS: Final = ("mann", "berg", "sen", "ski", "ova", "er", "ini", "escu", "onen", "ez")


class Names:
    """Given names and surnames to draw from."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        self.given = sorted(name.capitalize() for name in given_names() if name.isalpha())
        rng.shuffle(self.given)
        letters = np.array(list("aeioulnrstmkdbvgh"))
        stems = ["".join(letters[rng.integers(0, len(letters), size)]) for size in rng.integers(3, 7, _SURNAMES)]
        made = [(stem + _ENDINGS[at % len(_ENDINGS)]).capitalize() for at, stem in enumerate(stems)]
        self.surnames = [name for name in made if not is_given(name.lower())]

    def draw(self, rng: np.random.Generator, count: int) -> tuple[list[str], list[str]]:
        """Given names and surnames of ``count`` people."""
        given = (rng.random(count) ** 3 * len(self.given)).astype(int)
        surname = (rng.random(count) ** 2 * len(self.surnames)).astype(int)
        return [self.given[at] for at in given.tolist()], [self.surnames[at] for at in surname.tolist()]


def full_names(names: Names, count: int, seed: int) -> list[str]:
    """Full names of ``count`` people."""
    given, surnames = names.draw(np.random.default_rng(seed), count)
    return [f"{one} {other}" for one, other in zip(given, surnames, strict=True)]


def table(rows: int, folder: Path = posts.FOLDER) -> Path:
    """The path of a Parquet file with ``rows`` such posts, made if it is not there."""
    path = folder / f"spoken-{rows}.parquet"
    if not path.exists():
        plain, names = pq.ParquetFile(posts.table(rows, folder)), Names()
        partial = path.with_suffix(".partial")
        with pq.ParquetWriter(partial, plain.schema_arrow, compression="zstd") as writer:
            for number, batch in enumerate(plain.iter_batches(posts.CHUNK)):
                writer.write_batch(spoken(batch, names, number))
        partial.rename(path)
    return path


def spoken(batch: pa.RecordBatch, names: Names, seed: int) -> pa.RecordBatch:
    """A batch of such posts; what stands in quotes stays as it is."""
    rng, rows = np.random.default_rng([seed, 11]), len(batch)
    quoted = pc.greater(pc.list_value_length(batch.column("spans")), 0).to_numpy(zero_copy_only=False)
    given, surnames = names.draw(rng, rows)
    drawn = rng.random(rows)
    heads = np.where(~quoted & (drawn < GREETED), [f"Hi {name}, " for name in given], "")
    within = np.where(drawn > 1 - GIVEN, [f" {name}" for name in given], "")
    both = [f" {one} {other}" for one, other in zip(given, surnames, strict=True)]
    within = np.where((drawn > 1 - GIVEN - FULL) & (drawn <= 1 - GIVEN), both, within)
    signs = np.where(rng.random(rows) < SIGNED, [f"\n-- {name}" for name in given], "")
    text = pc.binary_join_element_wise(
        pa.array(heads),
        pc.utf8_trim(batch.column("text").cast(pa.string()), " "),
        pa.array(within),
        ".",
        pa.array(signs),
        "",
    )
    at = batch.schema.get_field_index("text")
    return batch.set_column(at, batch.schema.field(at), text.cast(batch.schema.field(at).type))
