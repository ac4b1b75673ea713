"""This machine as an engine: its processes govern, and this one writes what they keep."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.engines.face import Heard
from demur.corpus.pool import Asked, Governing

if TYPE_CHECKING:
    from lance.fragment import FragmentMetadata


class Local(Governing):
    """The pool, as an engine."""

    def store(self, asked: Iterable[Asked], corpus: Corpus, heard: Heard) -> "list[FragmentMetadata]":
        """The same, with the kept rows in new fragments of the corpus, of up to a million rows each."""
        return corpus.write(self._kept(asked, heard))

    def _kept(self, asked: Iterable[Asked], heard: Heard) -> Iterator[pa.RecordBatch]:
        for answer in self.answers(asked):
            heard(answer)
            if len(answer.kept):
                yield answer.kept
