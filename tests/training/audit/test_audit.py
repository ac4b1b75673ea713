"""An audit finds what was planted, tells numbers and nobody, and says in one sentence what it can't do."""

import hashlib
import json
import random
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import trainable
from bounded import require_bounded
from calling import Demur
from making import item
from pages import text_of
from sheets import read_sheet
from trainable import LATER, TINY, Community

from demur.corpus.session import reading
from demur.runs.facts import ModelState, write_facts
from demur.terms import EntryKind
from demur.training import first
from demur.training import replay as replaying
from demur.training.audit import auditing, membership
from demur.training.audit.again import read_trained
from demur.training.audit.auditing import Asked
from demur.training.audit.blind import Words, words_figure
from demur.training.audit.figure import Curve, Figure, Finding
from demur.training.audit.membership import Seen
from demur.training.audit.page import EDPB, audit_page
from demur.training.audit.people import Audited, Bools, Draw, Everybody, drawn, everybody
from demur.training.audit.reading import in_reading_order, read_at
from demur.training.audit.report import Audit
from demur.training.audit.scores import Read
from demur.training.audit.served import audited_model
from demur.training.audit.statistics import Scores, roc
from demur.training.config import Config
from demur.training.filling import Plan
from demur.training.order import held_out
from demur.training.run import Run, write_settings

PEOPLE = 120
ACCOUNTS = [trainable.account(who) for who in range(PEOPLE)]
KEY = bytes(range(32))
"""Of the run: who is held out is the same each time."""
CONFIG = replace(TINY, layers=1, width=64, inner=128, held=0.4, step_tokens=1024, micro_tokens=2048, rate=6e-3)
CONFIG = replace(CONFIG, average=0.5, checkpoints=2)


def posts(people: int = PEOPLE) -> Iterator[dict[str, Any]]:
    """Everybody writes one to three rows of ten words at random: nothing tells people apart but being learnt."""
    source = random.Random(3)
    for who in range(people):
        for number in range(1 + who % 3):
            text = " ".join(source.choice(trainable.WORDS) for _ in range(10))
            yield item(f"{who}-{number}", trainable.account(who), text)


def trained(community: Community, name: str, config: Config) -> None:
    with reading(community.workspace, LATER) as session:
        run = first.begin(session, "v1", name=name, config=config, base=[community.base])
        write_settings(run.model.run, config, KEY)
        first.carry_out(session, replace(run, key=KEY))


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Community:
    """A workspace with a run that has seen each row once, and holds people out."""
    made = Community(tmp_path_factory.mktemp("audited"))
    trainable.workspace(made.root / "w", list(posts()))
    trainable.declared(made.root, lines=60)
    trained(made, "one", CONFIG)
    return made


@pytest.fixture
def own(town: Community, tmp_path: Path) -> Community:
    return town.copied(tmp_path / "own")


class Opened:
    """The run with who is audited."""

    def __init__(self, community: Community, draw: Draw | None = None) -> None:
        with reading(community.workspace, LATER) as session:
            self.served = audited_model(session, "one")
            self.found: Everybody = everybody(session, self.served)
        self.run, self.checkpoint = self.served.parts[0]
        self.who: Audited = drawn(self.found, draw or Draw())
        owners = self.who.owners(in_reading_order(self.who.rows))
        self.seen = Seen(self.who.held, owners, self.who.size, self.who.position, 0)
        self.base = read_at(self.run, 0, self.who.rows, lambda _: None)
        self.model = read_at(self.run, self.checkpoint, self.who.rows, lambda _: None)

    def trained(self, plan: Plan) -> Read:
        return read_trained(self.served, None, [plan], self.who.rows, (lambda *_: None, lambda _: None))


@pytest.fixture(scope="module")
def opened(town: Community) -> Opened:
    return Opened(town)


@pytest.fixture(scope="module")
def done(town: Community) -> Audit:
    with reading(town.workspace, LATER) as session:
        shares: list[float] = []
        served = audited_model(session, "one/0001")
        found = auditing.audit(session, served, Asked(Draw(seed=5), objectors=25), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1, abs=0.3)
    return found


def figures(findings: Iterable[Finding]) -> dict[tuple[str, str], Figure]:
    return {(each.attack, one.name): one for each in findings for one in each.figures}


def test_members_are_those_of_the_plan_and_others_those_that_the_key_held_out(opened: Opened) -> None:
    found = opened.found
    assert found.people == PEOPLE
    assert found.missing == 0
    (plan,) = found.plans(np.ones(PEOPLE, bool), CONFIG.step_tokens)
    assert sorted(plan.items()) == sorted(opened.run.plan().items())
    assert plan.digest() == opened.run.plan().digest()
    theirs = np.unique(found.rows.people.flat[np.isin(found.rows.people.owner, np.flatnonzero(found.at < 0))])
    assert held_out(theirs, CONFIG.held, KEY).all()
    assert not np.isin(theirs, opened.run.plan().people()).any()
    assert opened.who.held.sum() == found.held.sum() == len(theirs)


def test_a_draw_takes_people_and_whole_rows_up_to_what_is_asked_for(opened: Opened) -> None:
    few = drawn(opened.found, Draw(persons=20, tokens=3, seed=1))
    assert (few.people, int(few.held.sum()), len(few.rows)) == (40, 20, 40)
    again, other = (drawn(opened.found, Draw(persons=20, tokens=3, seed=seed)) for seed in (1, 2))
    assert np.array_equal(few.number, again.number)
    assert not np.array_equal(few.number, other.number)
    assert (few.size == opened.found.tokens[few.number]).all()


TIMES = 140
"""How often a row stands in a plan on which people are learnt by heart."""


def learnt_by_heart(opened: Opened, people: Bools) -> Read:
    """What a model says that has seen every row of some members so often."""
    (once,) = opened.found.plans(people, CONFIG.step_tokens)
    many = np.tile(np.arange(len(once)), TIMES)
    return opened.trained(Plan.filled(once.rows.take(many), once.place[many], CONFIG.step_tokens))


@pytest.fixture(scope="module")
def duplicated(opened: Opened) -> Read:
    return learnt_by_heart(opened, np.ones(PEOPLE, bool))


def low(figure: Figure) -> float:
    assert figure.interval is not None
    return figure.interval[0]


def test_a_run_on_duplicated_rows_shows_its_members(opened: Opened, duplicated: Read) -> None:
    honest = figures(membership.attacks(opened.seen, opened.model, opened.base))
    planted = figures(membership.attacks(opened.seen, duplicated, opened.base))
    for attack in ("loss", "reference"):
        was, now = honest[attack, "auc"], planted[attack, "auc"]
        assert was.interval is not None
        assert low(now) > 0.5
        assert (now.value or 0) > was.interval[1]


def test_a_replay_that_was_skipped_shows_who_should_be_gone(opened: Opened, duplicated: Read) -> None:
    """Planted: the model from after still holds those who were to be taken out."""
    out = np.zeros(opened.who.people, bool)
    out[np.flatnonzero(~opened.who.held)[::2]] = True
    stay = np.ones(PEOPLE, bool)
    stay[opened.who.number[out]] = False
    after = learnt_by_heart(opened, stay)
    honest = figures(membership.without(opened.seen, out, duplicated, after, opened.base))
    skipped = figures(membership.without(opened.seen, out, duplicated, duplicated, opened.base))
    assert low(honest["objectors", "auc_before"]) > 0.5
    assert (honest["objectors", "auc_after"].value or 1) < (honest["objectors", "auc_before"].value or 0)
    assert low(honest["version-diff", "auc"]) > 0.5
    assert skipped["objectors", "auc_after"].value == skipped["objectors", "auc_before"].value
    assert skipped["version-diff", "auc"].value == 0.5


def test_what_is_taken_out_is_taken_out_as_a_replay_does(own: Community, opened: Opened) -> None:
    """The model without some members has the bytes that a replay gives once they object."""
    out = np.flatnonzero(~opened.who.held)[:3]
    theirs = np.flatnonzero(np.isin(opened.found.person, opened.who.number[out]))
    keys = opened.found.rows.take(theirs).people.flat
    stay = np.ones(PEOPLE, bool)
    stay[opened.who.number[out]] = False
    plans = opened.found.plans(stay, CONFIG.step_tokens)
    was = [opened.run.plan().until(opened.checkpoint)]
    read = read_trained(opened.served, was, plans, opened.who.rows, (lambda *_: None, lambda _: None))
    with own.workspace.register() as register:
        named = [name for name in ACCOUNTS if register.pepper.subject_key(name) in keys]
        register.objections.lodge(named, channel="letter")
    model = replaying.replay(own.workspace, "one").model
    again = read_at(Run.open(model), max(model.steps()), opened.who.rows, lambda _: None)
    assert len(named) == 3
    assert np.array_equal(read.logs, again.logs)
    assert not list(opened.run.model.run.path.glob(".check*"))


def test_people_who_differ_without_any_model_are_told_apart(opened: Opened) -> None:
    """Planted: those held out write other words."""
    ids, owner = np.arange(400, dtype=np.int32) % 7, np.arange(400) // 4
    held = owner[::4] % 2 == 0
    alike = words_figure(Words(ids, owner, held), 0)
    apart = words_figure(Words(np.where(held[owner], ids, ids + 7).astype(np.int32), owner, held), 0)
    assert alike.interval is not None
    assert alike.interval[0] <= 0.5 <= alike.interval[1]
    assert apart.value == 1
    seen = replace(opened.seen, size=np.where(opened.seen.held, 1, 9))
    told = membership.blind(seen, Words(ids, np.arange(400) % opened.who.people, opened.seen.held))
    assert "auc_size leaves out .5" in told.said


def test_the_baseline_strays_no_further_than_its_interval_says() -> None:
    random, missed = np.random.default_rng(8), 0
    for seed in range(60):
        people = 120
        owner = np.repeat(np.arange(people), 30)
        taste = random.integers(0, 40, (people, 6))
        ids = taste[owner, random.integers(0, 6, len(owner))].astype(np.int32)
        found = words_figure(Words(ids, owner, random.permutation(people) < 50), seed)
        assert found.interval is not None
        missed += not found.interval[0] <= 0.5 <= found.interval[1]
    assert missed <= 8


def test_a_report_tells_numbers_and_nobody(done: Audit, own: Community) -> None:
    found = figures(done.findings)
    scores = {"blind", "loss", "reference", "ez-mia", "rmia", "quantised", "position", "objectors", "version-diff"}
    assert {each.attack for each in done.findings} == scores | {"skew by language"}
    for one in found.values():
        assert one.unit
        assert one.n > 0
        assert one.interval is not None or one.note
    listed = {each.attack for each in done.not_run}
    assert {"attribute inference", "inversion", "reconstruction", "canaries", "extraction", "names"} <= listed
    said = done.to_bytes()
    assert json.loads(said) == orjson.loads(said)
    with own.workspace.register() as register:
        keys = register.pepper.subject_keys(ACCOUNTS)
    assert np.isin(own.run().plan().people(), keys).all()
    assert not [name for name in [*ACCOUNTS, *map(str, keys.tolist())] if name.encode() in said]


def test_the_page_stands_alone_and_says_what_the_report_says(done: Audit) -> None:
    more = Finding("extraction", "Asked?", "exfiltration", "outputs", [], [roc(Scores(*ROWS))])
    whole = replace(done, findings=[*done.findings, more])
    tree = read_sheet(audit_page(whole))
    words = text_of(next(tree.iter("main")))
    for each in done.findings:
        assert f"Test: {each.attack}" in words
    for untried in done.not_run:
        assert untried.why in words
    none = "Attribute inference (EDPB Opinion 28/2024): no test stands for it."
    for said in ("lower bound", "not that the model is anonymous", none, whole.digest):
        assert said in words
    assert "Exfiltration (EDPB Opinion 28/2024): extraction." in words


def test_every_number_of_the_page_has_its_unit_what_it_is_over_and_an_interval_or_why_none(done: Audit) -> None:
    few = [
        Figure(
            "auc_words", 0.6, "AUC", 12, "persons", None, "too few persons for an interval, which asks for 20 of each"
        ),
        Figure("share_greedy", 0.1, "share", 12, "persons", (0.0, 0.4)),
    ]
    curve = Curve("members_p0.5", "queries a row", "share of persons", [(1.0, 0.0), (100.0, 0.2)])
    asked = [each for each in done.findings if each.attack != "blind"]
    shown = [
        *asked,
        Finding("blind", "Asked?", "", "no model", few),
        Finding("extraction", "Asked?", "", "outputs", few, [curve]),
    ]
    page = replace(done, findings=shown)
    assert require_bounded(audit_page(page), page.json()) > 5


@pytest.mark.parametrize(
    "bare",
    [
        Figure("auc", 0.6, "", 12, "persons", (0.5, 0.7)),
        Figure("auc", 0.6, "AUC", 12, "", (0.5, 0.7)),
        Figure("auc", 0.6, "AUC", 12, "persons"),
        Figure("auc", 0.6, "AUC", 12, "persons", None, "by length alone"),
        Figure("auc", None, "AUC", 0, "persons"),
    ],
)
def test_a_bare_number_on_the_page_is_seen(done: Audit, bare: Figure) -> None:
    page = replace(done, findings=[Finding("extraction", "Asked?", "", "outputs", [bare])])
    with pytest.raises(AssertionError):
        require_bounded(audit_page(page), page.json())


@pytest.mark.parametrize("page", ["audits.md", "models.md"])
def test_the_docs_say_which_test_stands_for_which_of_the_six_attacks(done: Audit, page: str) -> None:
    lines = (DOCS / page).read_text("utf-8").splitlines()
    said = {kind: next(each for each in lines if each.startswith(f"| {kind} |")) for kind in EDPB}
    for each in done.findings:
        told = {kind for kind in EDPB if f"`{each.attack}`" in said[kind]}
        assert told == ({each.stands_for} if each.stands_for else set())
    stands = {each.stands_for for each in done.findings}
    assert "membership inference" in stands
    for kind in ("attribute inference", "inversion", "reconstruction"):
        assert kind not in stands
        assert "`" not in said[kind]


DOCS = Path(__file__).parents[3] / "docs"
ROWS = (np.arange(30.0), np.arange(25.0))


def test_the_command_keeps_a_report_and_puts_it_on_record(own: Community, demur: Demur, tmp_path: Path) -> None:
    at = ("-w", own.workspace.root, "--seed", "4", "--objectors", "0", "--references", "0")
    said = demur("audit", "one", "--json", *at).json
    data = own.run().model.audit.read_bytes()
    assert said["digest"] == hashlib.sha256(data).hexdigest()
    assert orjson.loads(data) == {name: value for name, value in said.items() if name != "digest"}
    why = {each["attack"]: each["why"] for each in said["not_run"]}
    assert (why["rmia"], why["objectors"]) == ("no reference model was asked for", "nobody was to be taken out")
    told = demur("audit", "model", "one", "--html", tmp_path / "a.html", *at)
    assert (told.code, told.out.split(":")[0]) == (0, "Model one/0001")
    read_sheet((tmp_path / "a.html").read_text())
    with own.workspace.register() as register:
        entries = list(register.log.entries(EntryKind.MODEL_AUDITED))
    assert entries[0].payload["report"] == said["digest"]
    assert [(each.payload["run"], each.payload["model"]) for each in entries] == [("one", "0001")] * 2
    assert f"{datetime.now(UTC):%Y-%m-%d}" in demur("runs", "-w", own.workspace.root).out


def test_a_report_stays_when_a_replay_destroys_the_model(own: Community) -> None:
    run = own.run()
    run.model.audit.write_bytes(b"{}")
    with own.workspace.register() as register:
        # The run's key says who was held out, and it is another one each time: not all of these are.
        register.objections.lodge([trainable.account(each) for each in range(8)], channel="letter")
    replaying.replay(own.workspace, "one")
    assert run.model.audit.read_bytes() == b"{}"
    assert not run.model.plan.exists()


def test_what_can_not_be_audited_is_said_in_one_sentence(own: Community, demur: Demur) -> None:
    folder, run = own.run().model.run, own.run()
    was = folder.config.read_bytes()
    for name, share in {"nobody": 0.0, "few": 1e-9}.items():
        other = Path(shutil.copytree(folder.path, folder.path.with_name(name)))
        now = replace(CONFIG, held=share).to_bytes()
        (other / "config.json").write_bytes(now)
        log = (other / "0001" / "log.bin").read_bytes()
        digest, its = hashlib.sha256(was).digest(), hashlib.sha256(now).digest()
        (other / "0001" / "log.bin").write_bytes(log.replace(digest, its))
    shutil.copytree(folder.path, folder.path.with_name("edited"))
    (folder.path.with_name("edited") / "config.json").write_bytes(replace(CONFIG, rate=1e-3).to_bytes())
    shutil.copytree(folder.path, folder.path.with_name("tracked"))
    (folder.path.with_name("tracked") / "config.json").unlink()
    second = folder.begin_model()
    write_facts(second, replace(run.facts(), number=2, state=ModelState.DESTROYED))
    wrong = {
        "ones": (2, "There is no run 'ones': did you mean `one`?"),
        "one/0009": (2, "There is no model one/0009"),
        "one/0002": (2, "is destroyed, as a replay took its place"),
        "nobody": (2, "held nobody out (`held` is 0)"),
        "few": (2, "too few to compare its members with"),
        "edited": (1, "is of another configuration than the run's"),
        "tracked": (2, "was trained by a trainer of your own"),
    }
    for name, (code, words) in wrong.items():
        told = demur("audit", "model", name, "-w", own.workspace.root)
        assert (told.code, told.err.count("\n")) == (code, 1), told.err
        assert words in told.err
    assert not folder.path.joinpath("0001", "audit.json").exists()


def test_a_model_that_serves_its_base_alone_has_nobody_to_audit(own: Community, demur: Demur) -> None:
    with own.workspace.register() as register:
        register.objections.lodge(ACCOUNTS, channel="letter")
    told = demur("audit", "one", "-w", own.workspace.root)
    assert (told.code, told.err.count("\n")) == (2, 1)
    assert "was trained on rows of 0 people who may be used now" in told.err
