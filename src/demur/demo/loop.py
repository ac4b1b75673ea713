"""Tells the story to a real workspace, step by step, and holds the outcome against the ground truth.

Everything goes through the same functions as the command line; nothing here knows how they work. Invariants: every
objection is lodged and honoured by itself, so that its cost can be told; what the imports say they left out is
compared with the ground truth, reason by reason.

The policy of the demo has the safe defaults, and every rule of the door in use, so that each has something to do. One
default is stricter: people who are made up write from few sentences, so that copies count from a higher score. Its
notice lacks nothing that `demur notice check` asks for, and what ``notice.toml`` says in it is true of a demo. Its
members are told, as `demur notice send` and `demur worker` do, once the last version was exported and verified. No
mail leaves the machine, because the policy names no server: each becomes a file in the outbox.
"""

import re
import threading
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from importlib.resources import files
from pathlib import Path
from time import perf_counter
from typing import Final

import pyarrow.parquet as pq

from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.demo.community import SEED, Community
from demur.demo.reasons import reasons_of
from demur.demo.report import Cost, Example, Imported, Published, Report, Told
from demur.demo.residual import Finder, Residual, Row
from demur.demo.story import Import, Link, Members, Object, Publish, Step, Withdraw, story
from demur.demo.truth import Tally, Truth
from demur.demo.writing import PARTNER, SINCE_YEARS
from demur.notices.campaign import channels_of, selection_of
from demur.policy import Assessment, Controller, Door, LegalBasis, Notice, Others, Policy, Portal, Purpose
from demur.policy.model import Wording
from demur.register import Register
from demur.terms import Channel, Kind
from demur.versions.leave import export, verify
from demur.versions.publish import publish
from demur.worker.mails import Post
from demur.worker.work import work
from demur.workspace import Workspace, create

REGIONS: Final = ("AT", "BE", "CY", "DE", "EE", "ES", "FI", "FR", "GR", "IE", "IT", "LU", "MT", "NL", "PL", "SE")


def demo_policy(today: date) -> Policy:
    """The policy as of ``today``: an invented controller, legitimate interests signed, thirty days of notice."""
    signed = Assessment(document="An invented assessment", date=today, signed_by="The demo")
    wording = _wording()
    return Policy(
        regions=REGIONS,
        effective_date=today,
        controller=Controller(
            name="Harbour Commons (invented)",
            contact="privacy@harbour.example",
            dpo="dpo@harbour.example",
            address="No Quay 1, Nowhere",
            country="IE",
        ),
        purpose=Purpose(description="To show the whole loop on people who do not exist."),
        basis=LegalBasis(legitimate_interests=signed),
        notice=Notice(required=True, period_days=30, languages=tuple(wording), wording=wording),
        others=Others(copies_from=85, copies_sure=90),
        door=Door(origins=("first-party", PARTNER), since=date(today.year - SINCE_YEARS, 1, 1)),
        portal=Portal(namespace="forum"),
    )


def _wording() -> dict[str, Wording]:
    """What the controller says, by language, the default one first."""
    table = tomllib.loads(files(__package__).joinpath("notice.toml").read_text("utf-8"))
    return {language: Wording(**said) for language, said in table.items()}


CAMPAIGN: Final = "autumn"


def tell(workspace: Workspace, account: str, today: date) -> Told:
    """Queue a notice for everybody whose content may come in, and deliver them all into the outbox.

    Args:
        workspace: where the loop has ended.
        account: of the reader whose mail is the example; "" for none.
        today: the day on which ages are reckoned.
    """
    started, demo = perf_counter(), workspace.policy()
    assert not demo.mail.server
    with workspace.register() as register:
        campaign = register.campaigns.start(CAMPAIGN, selection_of(demo, today), channels_of(demo))
        mail = _mail_of(workspace, register, demo, account) if account else None
    work(workspace, threading.Event(), once=True)
    there = mail if mail and mail.is_file() else None
    mails = sum(1 for _ in workspace.outbox_path.glob("*.eml"))
    return Told(
        campaign=campaign.name,
        mails=mails,
        unreached=campaign.people - mails,
        outbox=workspace.outbox_path,
        portal=demo.portal.url,
        mail=there,
        link=_link_in(there, demo.portal.url) if there else "",
        seconds=perf_counter() - started,
    )


def _mail_of(workspace: Workspace, register: Register, demo: Policy, account: str) -> Path | None:
    """Where the mail to an account's person will lie; None if they get none."""
    theirs = set(register.members.covered_with(account).tolist())
    addressed = (subject for subject, _ in register.notices.records(CAMPAIGN) if subject in theirs)
    post = Post(demo, workspace.keys())
    names = (post.notice_id(CAMPAIGN, subject, Channel.MAIL) for subject in addressed)
    return next((workspace.outbox_path / f"{name}.eml" for name in names), None)


def _link_in(mail: Path, portal: str) -> str:
    """The link of a mail, to the page where its reader objects."""
    body = message_from_bytes(mail.read_bytes(), policy=policy.default).get_body(("plain",))
    assert body is not None
    found = re.search(rf"{re.escape(portal)}/[a-z]+/o/\S+", body.get_content())
    assert found is not None
    return found.group()


EXPORTS: Final = "exports"
_COLUMNS: Final = (
    "item",
    "author",
    "kind",
    "audience",
    "language",
    "text",
    "spans",
    "subjects",
    "rating",
    "media",
)

Say = Callable[[str], None]


def run(
    folder: Path, *, people: int = 2000, seed: int = SEED, train: bool = False, report: Say = lambda _: None
) -> Report:
    """The whole loop in a new workspace at ``folder``; ``report`` is told what happens, a line at a time.

    Args:
        folder: of the workspace.
        people: of the community.
        seed: of the story.
        train: whether a model is trained on the last version, objected to and replayed; it needs the extra `train`.
        report: told what happens.

    Raises:
        WorkspaceError: when ``folder`` holds a workspace already.
    """
    started = perf_counter()
    report(f"Making up {people:,} people")
    community = Community.generate(people, seed)
    policy = demo_policy(community.today)
    workspace = create(folder, policy)
    with workspace.register() as register:
        loop = _Loop(workspace, register, Truth(community, policy), report)
        for step in story(community):
            loop.take(step)
        told_of = loop.finish(started)
    if not train:
        return told_of
    from demur.demo import training  # noqa: PLC0415  # a demo without a model does without

    name = told_of.versions[-1].name
    return replace(told_of, model=training.model(workspace, community, name, spared=told_of.account, say=report))


class _Loop:
    """One run, as far as it has come."""

    def __init__(self, workspace: Workspace, register: Register, truth: Truth, say: Say) -> None:
        self._workspace = workspace
        self._register = register
        self._pepper = workspace.keys().pepper
        self._truth = truth
        self._community = truth.community
        self._say = say
        self._imports: dict[str, Imported] = {}
        self._references: list[str] = []
        self._costs: list[Cost] = []
        self._versions: list[Published] = []
        self._wrong: list[str] = []
        self._steps: Counter[type[Step]] = Counter()

    def take(self, step: Step) -> None:
        """One step, in the workspace and in the ground truth."""
        self._steps[type(step)] += 1
        expected = self._truth.observe(step)
        match step:
            case Import():
                assert expected is not None
                self._import(step, expected)
            case Object():
                self._object(step)
            case Members():
                self._register.members.import_all(self._community.members(corrections=step.corrections))
                honour(self._workspace)
            case Withdraw():
                self._register.objections.withdraw(self._references[step.objection])
            case Link():
                self._register.members.link(step.first, step.second)
                honour(self._workspace)
            case Publish():
                self._publish(step.name)

    def finish(self, started: float) -> Report:
        """Exports the last version, verifies it, reads the export against the ground truth, and tells the members."""
        last = self._versions[-1].name
        to = self._workspace.root / EXPORTS / last
        self._say(f"Exporting and verifying {last}")
        export(self._workspace, last, to)
        verified = (verify(self._workspace, last), verify(self._workspace, last, export=to))
        self._say(f"Reading {last} against the ground truth")
        finder = Finder(self._truth, self._pepper)
        exported: Counter[Kind] = Counter()
        residual = Residual(self._truth, self._pepper).of(_counted(_rows(to), exported, finder))
        self._wrong += residual
        people = self._community.people
        self._say("Telling the members")
        told = tell(self._workspace, finder.account, self._community.today)
        return Report(
            seed=self._community.seed,
            people=len(people),
            accounts=sum(len(person.accounts) for person in people),
            languages=len({person.language for person in people}),
            folder=self._workspace.root,
            export=to,
            imports=list(self._imports.values()),
            offered=Counter(self._community.kinds()),
            exported=exported,
            costs=self._costs,
            withdrawals=self._steps[Withdraw],
            links=self._steps[Link],
            versions=self._versions,
            examples=_with_reasons(self._workspace, finder),
            findings=[line for findings in verified for line in findings.lines()],
            residual=self._wrong,
            account=finder.account,
            told=told,
            seconds=perf_counter() - started,
        )

    def _import(self, step: Import, expected: Tally) -> None:
        done = import_items(self._workspace, step.source, self._community.batches(step.wave, step.source))
        wave = self._imports.setdefault(step.wave.value, Imported(step.wave.value))
        wave.read += done.read
        wave.kept += done.kept
        wave.left_out.update(done.left_out)
        wave.seconds += done.seconds
        self._say(f"Import {step.wave} of {step.source}: {done.read:,} read, {done.kept:,} kept")
        self._wrong += _differences(step, Tally(done.read, done.kept, Counter(done.left_out)), expected)

    def _object(self, step: Object) -> None:
        started = perf_counter()
        receipt = self._register.objections.lodge(step.accounts, channel=step.channel)
        honoured = honour(self._workspace)
        elapsed = (perf_counter() - started) * 1000
        self._references.append(receipt.reference)
        self._costs.append(Cost(elapsed, honoured.deleted, honoured.rewritten))

    def _publish(self, name: str) -> None:
        manifest = publish(self._workspace, name)
        self._versions.append(Published(name, manifest.content.rows, len(self._costs)))
        self._say(f"Published {name}: {manifest.content.rows:,} rows, after {len(self._costs)} objections")


def _differences(step: Import, reported: Tally, expected: Tally) -> Iterator[str]:
    """Where an import's account differs from the ground truth."""
    where = f"import {step.wave} of {step.source}"
    for name in ("read", "kept"):
        told, true = getattr(reported, name), getattr(expected, name)
        if told != true:
            yield f"{where} says it {name} {told}, which should be {true}"
    for reason in sorted(reported.left_out.keys() | expected.left_out.keys()):
        told, true = reported.left_out[reason], expected.left_out[reason]
        if told != true:
            yield f"{where} left out {told} by the reason {reason}, which should be {true}"


def _with_reasons(workspace: Workspace, finder: Finder) -> list[Example]:
    """The examples, with what was found in their words."""
    examples = finder.examples
    reasons = reasons_of(workspace, [finder.items[example.what] for example in examples])
    return [replace(example, reasons=why) for example, why in zip(examples, reasons, strict=True)]


def _rows(folder: Path) -> Iterator[Row]:
    """The rows of an export, read as any trainer would."""
    for path in sorted(folder.rglob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(columns=list(_COLUMNS)):
                yield from batch.to_pylist()


def _counted(rows: Iterator[Row], kinds: Counter[Kind], finder: Finder) -> Iterator[Row]:
    """Pass rows on, counted by kind and shown to the finder of examples on their way."""
    for row in rows:
        kinds[Kind(str(row["kind"]))] += 1
        finder.see(row)
        yield row
