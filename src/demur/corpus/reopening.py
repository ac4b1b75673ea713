"""What an import tells of threads and of withheld people's words is done to rows that were there before it.

Invariants: rows that the import itself brought were decided with all that it tells of threads; what it tells of copies
is done to these, too. It happens within the import's journal: a kill undoes both.
"""

from typing import Final

import numpy as np

from demur.corpus.affected import Affected, standing_in
from demur.corpus.datasets.base import ADDRESS, Addresses
from demur.corpus.regoverning import change_rows, note_copies
from demur.corpus.session import Session
from demur.identity import SubjectKeys
from demur.kernel.rules import Rules
from demur.kernel.wording import page_of
from demur.words.page import Ints

_READ: Final = ("item", "author", "thread", "parent", "language", "text", "spans")
"""The columns that a page is made of."""


def reopen(session: Session, threads: Ints, rules: Rules, upto: int) -> None:
    """Governs rows again that stand in some threads, in the fragments up to a number."""
    if rules.people is not None and len(threads):
        standing = standing_in(session.corpus.batches(["item", "thread"]), threads)
        before = standing[(standing >> np.uint64(32)).astype(np.int64) <= upto]
        change_rows(session, session.corpus.rows(before), rules)


def sweep(session: Session, wrote: SubjectKeys) -> None:
    """Governs rows again that may copy what some people wrote."""
    if len(wrote):
        rules, _ = session.rules()  # with the fingerprints that came just now
        copied = _standing(session, Affected(session.corpus, rules, session.threads(rules)).copied(wrote), rules)
        if note_copies(session, session.corpus.rows(copied), rules):
            rules, _ = session.rules()  # with what is stock
        change_rows(session, session.corpus.rows(copied), rules)


def _standing(session: Session, found: Addresses, rules: Rules) -> Addresses:
    """Those of some rows in whose texts a whole key of a copy stands, and not only its shortened form.

    Of many keys, many rows hold the shortened form of one: their words are read here, and they are not governed.
    """
    if rules.copies is None or not len(found):
        return found
    stands = [np.zeros(0, np.uint64)]
    for batch in session.corpus.rows(found, _READ):
        addresses = batch.column(ADDRESS).to_numpy(zero_copy_only=False).astype(np.uint64)
        stands.append(addresses[rules.copies.standing(page_of(batch, rules))])
    return np.concatenate(stands)
