"""``demur demo --train``: a small model on the community's last version, an objection, its replay, and an audit.

Everything goes through the same functions as `demur train`, `object`, `replay` and `audit`. Invariants: the base is
made from sentences that the code puts together and no member wrote; who objects is in the model, is one whose replay
costs about the average, and is not the account that the page offers to try things with.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from demur.corpus.session import Session, reading
from demur.demo.community import Community
from demur.demo.modelled import Checked, Modelled, Stand
from demur.demo.texts import languages, mix
from demur.errors import CheckFailed
from demur.runs.folder import find_run
from demur.runs.pointer import read_pointer
from demur.training import checking, first
from demur.training.audit import auditing
from demur.training.audit.people import Draw
from demur.training.audit.report import Audit
from demur.training.audit.served import audited_model
from demur.training.canaries import are_canaries
from demur.training.certificate import read_certificate
from demur.training.config import Config
from demur.training.filling import Plan
from demur.training.first import Trained
from demur.training.order import PARTS, Classes
from demur.training.replay import Replayed, replay
from demur.training.rows import Ints
from demur.training.run import Run
from demur.workspace import Workspace

RUN: Final = "harbour"
DECLARED: Final = "declared"
"""The folder of the base's texts, in the workspace."""
_FILE: Final = "nobody.jsonl"
_LINES: Final = 2000
_NUMBERS: Final = 99
"""Which numbers the base's sentences are made from: no item has one of these."""

CONFIG: Final = Config(
    layers=2,
    width=64,
    inner=128,
    heads=2,
    vocabulary=1024,
    context=64,
    step_tokens=2048,
    micro_tokens=4096,
    rate=3e-3,
    warmup=10,
    average=0.95,
    checkpoints=16,
    threads=1,
    held=0.3,
    canaries=24,
)
"""Small, so that all of it takes some minutes: it learns the shape of sentences, and not much else.

More people than usual are held out, as the community is small and an audit compares with them.
"""
_OBJECTORS: Final = 30
"""Members whom the audit takes out as if they had objected."""

Say = Callable[[str], None]


def model(workspace: Workspace, community: Community, version: str, *, spared: str, say: Say) -> Modelled:
    """Train, object, replay, verify and audit.

    Args:
        workspace: of the demo, where its story has ended.
        community: whose it is.
        version: to train on.
        spared: an account whose holder is not to object; "" for none.
        say: told what happens, a line at a time.

    Raises:
        UsageError: when the extra `train` is not installed.
        CheckFailed: when nobody is left who could object, or the certificate does not hold.
    """
    base, started = _declared(workspace, community.seed), perf_counter()
    say(f"Training {RUN} on {version}")
    with reading(workspace) as session:
        run = first.begin(session, version, name=RUN, config=CONFIG, base=[str(base)])
        trained = first.carry_out(session, run)
        seconds, old = perf_counter() - started, trained.outcome.plan
        author = _authors(session, old)
        firsts = _firsts(old, author)
        account = _objector(session, community, firsts, spared)
        theirs = int((author == session.register.pepper.subject_key(account)).sum())
        before = read_certificate(run.model, session.keys.signing.public_key())
        shape = _Shape.of(session, trained)
    say("An objection")
    moved_seconds, at_once = _lodge(workspace, account)
    say(f"Replaying {RUN}")
    started = perf_counter()
    done = replay(workspace, RUN)
    replayed_seconds = perf_counter() - started
    say(f"Verifying {RUN} from scratch")
    started = perf_counter()
    with reading(workspace) as session:
        checked = checking.verify(session, done.model)
    after, seconds_checked = checked.certificate, perf_counter() - started
    say(f"Auditing {RUN}")
    started = perf_counter()
    audited = _audit(workspace, community.seed)
    return Modelled(
        run=RUN,
        version=version,
        parameters=shape.parameters,
        declared=shape.declared,
        rows=len(old) - int(are_canaries(old.rows).sum()),
        canaries=CONFIG.canaries,
        accounts=len(old.people()),
        tokens=int(old.rows.tokens.sum()),
        steps=old.steps,
        checkpoints=shape.checkpoints,
        classes=shape.classes,
        expected=float(np.mean(list(firsts.values()))),
        trained_seconds=seconds,
        account=account,
        theirs=theirs,
        moved_seconds=moved_seconds,
        at_once=at_once,
        begun=done.begun,
        first=done.first,
        again=_taken(done),
        steps_after=done.steps,
        replayed_seconds=replayed_seconds,
        serving=done.model.name,
        people_before=int(before.facts["people"]["after"]["people"]),
        people_after=int(after.facts["people"]["after"]["people"]),
        weights_before=str(before.facts["weights"]),
        weights_after=str(after.facts["weights"]),
        certificate=after.digest,
        checked=Checked(checked.steps, seconds_checked),
        audit=audited,
        audited_seconds=perf_counter() - started,
    )


def _declared(workspace: Workspace, seed: int) -> Path:
    """Sentences of nobody's in every language of the community, with the declaration that they are."""
    folder = workspace.root / DECLARED
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / _FILE
    lines = (json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in islice(_sentences(seed), _LINES))
    path.write_text("".join(lines), "utf-8")
    path.with_name(f"{_FILE}.declared.toml").write_text(
        'name = "Sentences that nobody wrote"\nnobody_may_object = true\ndeclared_by = "The demo"\n'
        'source = "put together by the code of demur"\nlicence = "as demur"\n',
        "utf-8",
    )
    return path


def _sentences(seed: int) -> Iterator[str]:
    every = languages()
    number = 0
    while True:
        yield every[number % len(every)].body(mix(seed, number, _NUMBERS))
        number += 1


@dataclass(frozen=True)
class _Shape:
    """What is told of a run while its first model is there."""

    parameters: int
    declared: int
    checkpoints: int
    classes: list[Stand]

    @classmethod
    def of(cls, session: Session, trained: Trained) -> "_Shape":
        run, plan = trained.run, trained.outcome.plan
        with (session.workspace.root / DECLARED / _FILE).open(encoding="utf-8") as lines:
            encoded = run.tokenizer.encode([json.loads(line)["text"] for line in lines])
        return cls(
            parameters=sum(each.numel() for each in run.network().parameters()),
            declared=sum(map(len, encoded)),
            checkpoints=len([step for step in run.model.steps() if 0 < step < plan.steps]),
            classes=_classes(run, plan),
        )


def _classes(run: Run, plan: Plan) -> list[Stand]:
    """The classes of people, first to last."""
    people = Classes.read(run.model.run.classes).place // PARTS
    ours = ~are_canaries(plan.rows)
    of_rows, tokens = plan.place[ours] // PARTS, plan.rows.tokens[ours].astype(np.int64)
    return [
        Stand(
            least=math.floor(2.0 ** (-int(each) - 1)) + 1,
            most=math.floor(2.0 ** -int(each)),
            people=int((people == each).sum()),
            rows=int((of_rows == each).sum()),
            share=float(tokens[of_rows == each].sum() / max(tokens.sum(), 1)),
        )
        for each in np.unique(np.concatenate([people, of_rows]))
    ]


def _authors(session: Session, plan: Plan) -> Ints:
    """The author's key of each row of a plan, -1 of a canary's, shape (n,)."""
    found: dict[bytes, int] = {}
    for batch in session.corpus.batches(["item", "author"]):
        found.update(zip(*(batch.column(name).to_pylist() for name in ("item", "author")), strict=True))
    return np.array([found.get(item, -1) for item in plan.items()], np.int64)


def _firsts(plan: Plan, author: Ints) -> dict[int, float]:
    """For each author's key, the share of the tokens from the step of their first own row on."""
    keys, index = np.unique(author, return_inverse=True)
    step = np.full(len(keys), plan.steps)
    np.minimum.at(step, index, plan.step)
    begins = np.concatenate([[0], np.cumsum(np.bincount(plan.step, plan.rows.tokens, plan.steps))])
    costs = dict(zip(keys.tolist(), (1 - begins[step] / begins[-1]).tolist(), strict=True))
    return {key: cost for key, cost in costs.items() if key >= 0}


def _objector(session: Session, community: Community, firsts: Mapping[int, float], spared: str) -> str:
    """An account of somebody who is in the model: whose replay costs about as much as the average one.

    Raises:
        CheckFailed: when nobody is.
    """
    pepper = session.register.pepper
    only = (person.accounts[0] for person in community.people if len(person.accounts) == 1)
    costs = {
        account: firsts[key] for account in only if account != spared and (key := pepper.subject_key(account)) in firsts
    }
    if not costs:
        raise CheckFailed("Nobody is in the model who could object: choose a larger --people.")
    average = sum(firsts.values()) / len(firsts)
    return min(costs, key=lambda account: abs(costs[account] - average))


def _lodge(workspace: Workspace, account: str) -> tuple[float, int]:
    """Record an objection: the seconds until its receipt, and the checkpoint that serves then."""
    with workspace.register() as register:
        started = perf_counter()
        register.objections.lodge([account], channel="portal")
        seconds = perf_counter() - started
    pointer = read_pointer(find_run(workspace.models_path, RUN))
    assert pointer is not None  # the base never goes
    return seconds, pointer.checkpoint


def _audit(workspace: Workspace, seed: int) -> Audit:
    """Audit what serves, and keep the report, as `demur audit` does."""
    asked = auditing.Asked(Draw(seed=seed), objectors=_OBJECTORS)
    with reading(workspace) as session:
        served = audited_model(session, RUN)
        done = auditing.audit(session, served, asked, lambda _: None)
        auditing.keep(session, served, done)
    return done


def _taken(done: Replayed) -> int:
    """Tokens that a replay trained on."""
    plan = Run.open(done.model).plan()
    return int(plan.rows.tokens[plan.step >= done.begun].sum())
