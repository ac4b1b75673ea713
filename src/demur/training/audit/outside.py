"""The audit of a model that demur did not train: it is asked for the ends of people's texts, and for their names.

Invariants: nothing of it goes on record, as it is of no run; whose texts are asked for may be in the model or not,
which nobody here knows, so that there is nobody held out to compare with.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from demur.canonical import JSON
from demur.corpus.session import Session
from demur.errors import UsageError
from demur.runs.render import render
from demur.suppression.signed import file_digest
from demur.training.audit.black_box import asked, open_folder
from demur.training.audit.figure import Finding, NotRun
from demur.training.audit.naming import names_of
from demur.training.audit.people import Draw, accounts_of
from demur.training.audit.report import Audit, not_run
from demur.training.config import Config
from demur.training.environment import of_now
from demur.training.plan import batches_of

MODEL = "outside"
"""The number, in a report, of a model that is of no run."""


def audit_outside(session: Session, folder: Path, version: str, draw: Draw, report: Callable[[float], None]) -> Audit:
    """Ask the decoder in a folder for what people wrote in a version.

    Args:
        session: of the workspace, with rows.
        folder: in Hugging Face's format.
        version: whose people are audited.
        draw: how many of them.
        report: told what share is done.

    Raises:
        UsageError: when there is no such version or nobody in it, or the folder holds no such model.
    """
    model = open_folder(folder, seed=draw.seed)
    texts = _texts(session, version)
    if not texts:
        raise UsageError(f"The version {version} holds no text of anybody: name one that does.")
    keys = np.array(sorted(texts), np.int64)
    random = np.random.default_rng(draw.seed)
    persons = session.register.members.persons(keys)
    chosen = random.permutation(np.unique(persons))[: draw.persons]
    accounts = accounts_of(chosen, keys, persons)
    said = [[text for key in theirs.tolist() for text in texts[key]] for theirs in accounts]
    told = asked(model, said, [], names=(names_of(session.register, accounts), []))
    report(1.0)
    findings = [each for each in told if isinstance(each, Finding)]
    left_out = [each for each in told if isinstance(each, NotRun)]
    people: dict[str, JSON] = {
        "members": len(accounts),
        "members_of": len(np.unique(persons)),
        "held_out": 0,
        "held_out_of": 0,
        "rows": sum(map(len, said)),
        "tokens": 0,
        "tokens_a_person_at_most": 0,
        "rows_passed_over": 0,
        "seed": draw.seed,
    }
    return Audit(_about(folder, version), people, findings, not_run(findings, left_out), datetime.now(UTC))


def _texts(session: Session, version: str) -> dict[int, list[str]]:
    """What each account wrote, as it would be trained on."""
    found: dict[int, list[str]] = {}
    for batch in batches_of(session, version):
        columns = (batch.column(name).to_pylist() for name in ("author", "text", "spans"))
        for author, text, spans in zip(*columns, strict=True):
            if words := render(text, spans, mask_mentions=True):
                found.setdefault(author, []).append(words)
    return found


def _about(folder: Path, version: str) -> dict[str, JSON]:
    return {
        "run": folder.name,
        "model": MODEL,
        "version": version,
        "certificate": None,
        "weights": file_digest(folder / "model.safetensors"),
        "whole": True,
        "config": file_digest(folder / "config.json"),
        "environment": dict(of_now(Config()).pins),
    }
