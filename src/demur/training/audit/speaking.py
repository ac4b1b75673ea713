"""What a model says when it is asked: its canaries, the ends of rows, names; and whom it knows less, by language.

Invariant: names are read from the register for the moment of the attack, and leave it as counts.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from demur.corpus.session import Session
from demur.training.audit.canaries import exposed
from demur.training.audit.continuing import Continuation
from demur.training.audit.extraction import extracted
from demur.training.audit.figure import Finding, NotRun
from demur.training.audit.naming import names_of, names_ranked, names_said
from demur.training.audit.near_verbatim import near_extracted
from demur.training.audit.passages import grouped
from demur.training.audit.people import Audited
from demur.training.audit.reading import in_reading_order
from demur.training.audit.scores import Read
from demur.training.audit.served import Served
from demur.training.audit.skew import loss_by_language


def spoken(session: Session, served: Served, network: Any, base: Any, who: Audited) -> Iterator[Finding | NotRun]:  # noqa: ANN401  # transformers models
    """What comes of asking a model.

    Args:
        session: of the workspace.
        served: the model, or those of a family.
        network: that answers; it drops nothing.
        base: the same of its base.
        who: is audited.
    """
    run = served.run
    yield exposed(network, run.tokenizer, served.config, run.key)
    people = grouped(who.rows, who.person, who.people)
    members = [rows for rows, held in zip(people, who.held, strict=True) if not held]
    others = [rows for rows, held in zip(people, who.held, strict=True) if held]
    yield extracted(network, members, others)
    yield near_extracted(network, members, others)
    called = names_of(session.register, who.keys)
    names = [[each for each, held in zip(called, who.held, strict=True) if held == group] for group in (False, True)]
    yield names_said(Continuation(network, run.tokenizer), names[0], names[1])
    yield names_ranked(network, run.tokenizer, names[0], names[1], base=base)


def by_language(session: Session, who: Audited, model: Read) -> Finding:
    """What the model makes of those who were held out, by the language that their source gave.

    Args:
        session: of the workspace, with rows.
        who: is audited.
        model: what it says of their rows.
    """
    order = in_reading_order(who.rows)
    predicted = who.rows.tokens[order].astype(np.int64) - 1
    ends = np.cumsum(predicted)
    loss = np.diff(np.cumsum(-model.logs.astype(np.float64))[ends - 1], prepend=0.0)
    held = np.flatnonzero(who.held[who.person[order]])
    wanted = [bytes(who.rows.item[row]) for row in order[held]]
    tags: dict[bytes, str | None] = {}
    for batch in session.corpus.batches(["item", "language"]):
        tags.update(zip(batch.column("item").to_pylist(), batch.column("language").to_pylist(), strict=True))
    said = [tags.get(item) for item in wanted]
    return loss_by_language(loss[held], predicted[held], who.person[order[held]], said)
