"""What is known of withheld people's words now, with what honouring is yet to find out.

Invariants: nothing is written; once the corpus honours all that the register holds, nothing is added. Honouring finds
out what objectors wrote, from their rows, and in which threads they are named in full: until it has run, versions are
judged by what it would find out, so that a recall right after an objection lists no fewer rows than one after it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import pyarrow as pa

from demur.corpus.affected import Affected, once
from demur.corpus.regoverning import regoverned, united
from demur.corpus.session import Session
from demur.corpus.threads import Threads
from demur.identity import SubjectKeys
from demur.kernel.evidence import FINGERPRINTS
from demur.kernel.govern import Answer
from demur.kernel.rules import Rules
from demur.people.context import Context, Pairs, pairs
from demur.suppression.copies import Copies
from demur.versions.manifest import scores_of
from demur.words.columns import in_rows
from demur.words.page import Ints


@dataclass(frozen=True)
class _Ahead(Threads):
    """Threads, with full names in them that no honouring has seen yet."""

    named: Pairs

    def context(self, threads: Ints) -> Context:
        return Context.joined([super().context(threads), Context(named=self.named)])

    def of(self, subjects: SubjectKeys) -> Ints:
        return np.union1d(super().of(subjects), self.named["one"][np.isin(self.named["other"], subjects)])


def known_now(session: Session) -> tuple[Rules, Threads]:
    """Today's rules, and what is known of threads."""
    rules, _ = session.rules()
    threads = session.threads(rules)
    changes = session.register.standing.changes(session.honoured)
    if not scores_of(session.policy) or not (changes.policy or len(changes.subjects)):
        return rules, threads
    rows = session.corpus.batches() if changes.policy else _first_pass(session, rules, threads, changes.subjects)
    answers = [part.answer for part in regoverned(rows, rules, threads)]
    rules = _with_words(session, rules, answers)
    return rules, _Ahead(threads.evidence, threads.bears, rules, _named(answers))


def _first_pass(session: Session, rules: Rules, threads: Threads, subjects: SubjectKeys) -> Iterable[pa.RecordBatch]:
    """The rows that honouring looks at first: by and about these people, and by name."""
    named = Affected(session.corpus, rules, threads).named_anywhere(subjects)
    return once(chain(session.corpus.concerning(subjects), session.corpus.rows(named)))


def _with_words(session: Session, rules: Rules, answers: Iterable[Answer]) -> Rules:
    """The rules with the fingerprints of what is withheld now and still lies in the corpus."""
    fresh = [each.fingerprints.select(FINGERPRINTS.names) for each in answers if len(each.fingerprints)]
    if not fresh or not rules.policy.others.looks_for_copies:
        return rules
    told, copies = pa.Table.from_batches(fresh), rules.copies
    items = np.unique(told.column("item").to_numpy())
    known = session.beside.fingerprints.where("item", items, FINGERPRINTS.names).select(FINGERPRINTS.names)
    lines = united(known, told, ("wrote", "seen"))
    return replace(rules, copies=Copies.build(lines) if copies is None else copies.changed(items, lines))


def _named(answers: Iterable[Answer]) -> Pairs:
    """Thread and whoever is named in full in it."""
    found = [np.zeros((0, 2), np.int64)]
    for answer in answers:
        row, named = in_rows(answer.evidence.column("named"))
        thread = answer.evidence.column("thread").to_numpy(zero_copy_only=False)
        found.append(np.stack([thread[row], named], axis=1))
    both = np.concatenate(found)
    return pairs(both[:, 0], both[:, 1])
