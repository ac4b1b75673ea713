"""What an import tells of threads and of withheld people's words is done to rows that were there before it.

Invariants: rows that the import itself brought were decided with all that it tells of threads; what it tells of copies
is done to these, too. It happens within the import's journal: a kill undoes both.
"""

import numpy as np

from demur.corpus.affected import Affected, standing_in
from demur.corpus.regoverning import change_rows, note_copies
from demur.corpus.session import Session
from demur.identity import SubjectKeys
from demur.kernel.rules import Rules
from demur.words.page import Ints


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
        copied = Affected(session.corpus, rules, session.threads(rules)).copied(wrote)
        if note_copies(session, session.corpus.rows(copied), rules):
            rules, _ = session.rules()  # with what is stock
        change_rows(session, session.corpus.rows(copied), rules)
