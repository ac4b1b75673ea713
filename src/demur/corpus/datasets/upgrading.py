"""A corpus that an older demur wrote gets what finds rows by their words, and the evidence of its rows.

Invariants: the evidence is on disk before the rows are, and the rows change in one commit, so that a kill in between
leaves a corpus that the next command upgrades; it says that it honours nothing before its rows can be searched, so that
a kill after that leaves rows that the next command reads for names; versions that were published stay as they are. What
an older demur masked or left out says nothing that could be read now: the next import of its source tells it.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from demur.corpus.datasets.base import ADDRESS
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.evidence import Evidence
from demur.kernel import schema
from demur.kernel.evidence import EVIDENCE
from demur.kernel.evidence import evidence as told
from demur.kernel.rules import Rules
from demur.kernel.wording import stored

_logger: Final = logging.getLogger("demur")
_NOBODY: Final = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def upgrade(corpus: Corpus, evidence: Evidence, rules: Rules) -> None:
    """Makes a corpus ready to be searched for words."""
    if corpus.count():
        _logger.warning("The corpus %s is of an older demur: it is made ready to find names.", corpus.dataset.uri)
    said = corpus.said()
    gone = [np.zeros(0, np.uint64), *(each.column(ADDRESS).to_numpy() for each in evidence.batches(["item"]))]
    evidence.replace(np.concatenate(gone).astype(np.uint64), _told(corpus, rules))
    corpus.say(replace(said, honoured=0, commitment=b""))  # every row is read again for names
    corpus.overwrite(stored(_rows(batch), rules) for batch in corpus.batches())
    corpus.index()


def _told(corpus: Corpus, rules: Rules) -> Iterator[pa.RecordBatch]:
    for batch in corpus.batches():
        rows = _rows(batch)
        yield told(rows, np.ones(len(rows), bool), _NOBODY, rules.word_keys).select(EVIDENCE.names)


def _rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(name) for name in schema.ROW.names], schema=schema.ROW)
