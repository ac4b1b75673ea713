"""Law 5, everything is accounted for: items read = items kept + items left out, each counted once, by the first reason.

Random batches are imported, several times into one workspace, with items that come twice, in one batch or in two. A
door in plain Python, written from the page that states the rules, says for each reading which reason comes first; the
report, the ledger on disk, the register's entry and the corpus must all agree with it. And what a version says was left
out agrees with a plain model of all imports: each item by its last reading.
"""

import json
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import NOW, batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus import journal
from demur.corpus.importing import ImportReport, import_items
from demur.corpus.outcomes import NOW as NOW_LEFT_OUT
from demur.corpus.outcomes import left_out_now
from demur.corpus.session import reading
from demur.corpus.session import reading as reading_session
from demur.identity import Pepper
from demur.policy import Door, LegalBasis, Notice, Others, Policy, write_policy
from demur.register.members.rows import MEMBER
from demur.terms import Audience, Basis, EntryKind, Kind, Reason
from demur.workspace import Workspace

pytestmark = pytest.mark.law

RAM: Final = Path("/dev/shm")
PEOPLE: Final = ("forum:ann", "forum:bob", "forum:cyd", "forum:dag")
SINCE: Final = date(2026, 1, 1)

accounts = st.sampled_from(PEOPLE)
readings = st.builds(
    item,
    st.integers(0, 7).map(str),
    st.one_of(accounts, accounts, accounts, st.none(), st.just("nobody")),
    st.sampled_from(("hello", "hello", "@ann hello", " \n", "", None)),
    kind=st.sampled_from(("post", "post", "post", "comment", "message", "poem", None)),
    audience=st.sampled_from(("public", "public", "public", "direct", "everybody", None)),
    region=st.sampled_from(("NO", "NO", "US", "NOR", None)),
    created=st.sampled_from((NOW, NOW, datetime(2025, 12, 31, 23, 59, tzinfo=UTC), None)),
    origin=st.sampled_from(("first-party", "first-party", "broker", None)),
    deleted=st.sampled_from((False, False, False, None, True)),
    spans=st.lists(st.builds(span, st.just(0), st.just(4), st.sampled_from(("mention", "quote", "reshare")), accounts)),
)
EXAMPLES: Final = settings().max_examples if "DEMUR_EXAMPLES" in os.environ else 20  # each makes several imports

imports = st.lists(st.lists(st.lists(readings, max_size=4), max_size=4), min_size=1, max_size=3)
"""Some imports of some batches of some readings."""

policies = st.builds(
    open_policy,
    regions=st.sampled_from(("any", "any", ("NO",))),
    basis=st.sampled_from((open_policy().basis, open_policy().basis, LegalBasis(use=Basis.CONSENT))),
    notice=st.builds(Notice, required=st.sampled_from((False, False, True)), period_days=st.just(30)),
    door=st.builds(
        Door,
        kinds=st.sampled_from((("post",), ("post", "comment"))),
        origins=st.sampled_from(("any", ("first-party",))),
        since=st.sampled_from((None, SINCE)),
        unknown_region=st.sampled_from(("use", "leave-out")),
        unknown_age=st.sampled_from(("use", "use", "leave-out")),
    ),
    others=st.builds(Others, mentions=st.sampled_from(("mask", "drop")), quotes=st.sampled_from(("mask", "drop"))),
)
members = st.dictionaries(
    accounts,
    st.fixed_dictionaries(
        {
            "region": st.sampled_from((None, "NO", "US")),
            "birth_year": st.sampled_from((None, 1980, 1980, 2008, 2015)),
            "told_on": st.sampled_from((None, NOW.date() - timedelta(days=30), NOW.date() - timedelta(days=29))),
            "consented": st.sampled_from((None, True, True, False)),
        }
    ),
)
NOTHING: Final = {"region": None, "birth_year": None, "told_on": None, "consented": None}


def first_reason(reading: dict[str, Any], policy: Policy, known: dict[str, Any], objected: set[str]) -> Reason | None:
    """The first reason that holds, of one reading by itself; None where it may be used."""
    account = reading["author"]
    told, withheld = known.get(account, NOTHING), objected | {a for a in known if _minor(known[a])}
    region = reading["region"] if reading["region"] in {"NO", "US"} else told["region"]
    given, door = policy.regions, policy.door
    text = (reading["text"] or "").strip()
    spans = [(one["role"], one["account"]) for one in reading["spans"]]
    if text.startswith("@ann") and "mention" not in {role for role, _ in spans}:  # what markup names is not looked for
        spans.append(("mention", "forum:ann"))
    roles = {role for role, who in spans if who in withheld}
    tests = (
        (Reason.DELETED, reading["deleted"] is True),
        (Reason.UNKNOWN_AUTHOR, account not in PEOPLE),
        (Reason.UNKNOWN_KIND, reading["kind"] not in set(Kind)),
        (Reason.KIND, reading["kind"] not in door.kinds),
        (Reason.UNKNOWN_AUDIENCE, reading["audience"] not in set(Audience)),
        (Reason.AUDIENCE, reading["audience"] not in door.audiences),
        (Reason.ORIGIN, reading["origin"] is None or (door.origins != "any" and reading["origin"] not in door.origins)),
        (Reason.UNKNOWN_DATE, door.since is not None and reading["created"] is None),
        (Reason.BEFORE_SINCE, door.since is not None and reading["created"].date() < door.since)
        if reading["created"]
        else (Reason.BEFORE_SINCE, False),
        (Reason.UNKNOWN_REGION, given != "any" and door.unknown_region == "leave-out" and region is None),
        (Reason.REGION, given != "any" and region is not None and region not in given),
        (Reason.UNKNOWN_AGE, door.unknown_age == "leave-out" and told["birth_year"] is None),
        (Reason.MINOR, _minor(told)),
        (Reason.NOT_TOLD, policy.notice.required and told["told_on"] is None),
        (Reason.NOTICE_PERIOD, policy.notice.required and told["told_on"] == NOW.date() - timedelta(days=29)),
        (Reason.NO_CONSENT, policy.basis.use == "consent" and told["consented"] is not True),
        (Reason.OBJECTED, account in objected),
        (Reason.RESHARE, "reshare" in roles),
        (Reason.QUOTE, policy.others.quotes == "drop" and "quote" in roles),
        (Reason.MENTION, policy.others.mentions == "drop" and "mention" in roles),
        (Reason.EMPTY, not text),
    )
    return next((reason for reason, holds in tests if holds), None)


def _minor(told: dict[str, Any]) -> bool:
    """Under 18 on the last day of the year of birth's eighteenth year, for all that is known."""
    return told["birth_year"] is not None and NOW.year - told["birth_year"] <= 18


def expected(batches: list[list[dict[str, Any]]], *door: Any) -> list[Reason | None]:  # noqa: ANN401  # first_reason's
    """The reason of each reading of an import: a later reading of the same item supersedes the earlier ones."""
    all_readings = [reading for part in batches for reading in part]
    last = {reading["item"]: position for position, reading in enumerate(all_readings)}
    return [
        first_reason(reading, *door) if last[reading["item"]] == position else Reason.SUPERSEDED
        for position, reading in enumerate(all_readings)
    ]


def prepared(folder: Path, template: Path, policy: Policy, known: dict[str, Any], objected: set[str]) -> Workspace:
    workspace = Workspace(Path(shutil.copytree(template, folder / "w")))
    write_policy(policy, workspace.policy_path)
    with workspace.register() as register:
        rows = [{"account": account, **told} for account, told in known.items()]
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)
        for account in sorted(objected):
            register.objections.lodge([account], channel="form", now=NOW)
    return workspace


def check(workspace: Workspace, report: ImportReport, batches: list[list[dict[str, Any]]], *door: Any) -> None:  # noqa: ANN401  # first_reason's
    """Report, ledger and entry of one import say what the plain door says."""
    all_readings = [reading for part in batches for reading in part]
    reasons = expected(batches, *door)
    left_out = Counter(reason for reason in reasons if reason is not None)
    assert report.read == len(all_readings) == report.kept + sum(report.left_out.values())
    assert report.left_out == left_out
    assert list(report.left_out) == [reason for reason in Reason if reason in left_out]
    pepper: Pepper = workspace.keys().pepper
    ledger = pq.read_table(journal.ledger(workspace.root, report.number)).to_pylist()
    assert Counter((line["item"], line["reason"]) for line in ledger) == Counter(
        (pepper.item_key(reading["item"]), str(reason))
        for reading, reason in zip(all_readings, reasons, strict=True)
        if reason is not None
    )
    with workspace.register() as register:
        entry = list(register.log.entries(EntryKind.IMPORT_FINISHED))[-1]
    assert (entry.payload["read"], entry.payload["kept"]) == (report.read, report.kept)
    assert entry.payload["left_out"] == {str(reason): count for reason, count in left_out.items()}


def stored_items(workspace: Workspace) -> list[bytes]:
    with reading(workspace, NOW) as session:
        return [key for part in session.corpus.batches(["item"]) for key in part.column("item").to_pylist()]


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """A fresh workspace, copied for every example: migrations take longer than an import."""
    with tempfile.TemporaryDirectory(prefix="demur-law-", dir=RAM if RAM.is_dir() else None) as folder:
        yield workspaces.create(Path(folder) / "w", open_policy()).root


@settings(max_examples=EXAMPLES)
@given(imports, policies, members, st.sets(accounts, max_size=2))
def test_every_reading_is_counted_once_by_its_first_reason(
    template: Path,
    imports: list[list[list[dict[str, Any]]]],
    policy: Policy,
    known: dict[str, dict[str, Any]],
    objected: set[str],
) -> None:
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        workspace = prepared(Path(folder), template, policy, known, objected)
        usable: dict[str, bool] = {}
        for batches in imports:
            report = import_items(workspace, "table", iter([batch(part) for part in batches]), now=NOW)
            check(workspace, report, batches, policy, known, objected)
            for reading in (reading for part in batches for reading in part):
                usable[reading["item"]] = first_reason(reading, policy, known, objected) is None
        pepper = workspace.keys().pepper
        assert sorted(stored_items(workspace)) == sorted(pepper.item_key(name) for name in usable if usable[name])


@settings(max_examples=EXAMPLES)
@given(imports, policies, members, st.sets(accounts, max_size=2), st.booleans())
def test_a_version_counts_each_item_by_its_last_reading(
    template: Path,
    imports: list[list[list[dict[str, Any]]]],
    policy: Policy,
    known: dict[str, dict[str, Any]],
    objected: set[str],
    lodge_last: bool,  # noqa: FBT001  # Hypothesis passes it by position
) -> None:
    """An objection between two imports removes rows that were kept: that is no reading, and is not counted."""
    with tempfile.TemporaryDirectory(dir=template.parent) as folder:
        workspace = prepared(Path(folder), template, policy, known, set() if lodge_last else objected)
        last: dict[str, Reason | None] = {}
        for number, batches in enumerate(imports):
            if lodge_last and number == len(imports) - 1:
                with workspace.register() as register:
                    for account in sorted(objected):
                        register.objections.lodge([account], channel="form", now=NOW)
            import_items(workspace, "table", iter([batch(part) for part in batches]), now=NOW)
            standing = objected if not lodge_last or number == len(imports) - 1 else set()
            for reading in (reading for part in batches for reading in part):
                last[reading["item"]] = first_reason(reading, policy, known, standing)
        expected_now = Counter(str(reason) for reason in last.values() if reason is not None)
        with reading_session(workspace) as session:
            assert left_out_now(workspace.root, session.register, session.corpus) == expected_now


def test_what_an_older_demur_left_out_is_counted_from_its_ledgers(template: Path, tmp_path: Path) -> None:
    """Imports of November 2026 and before kept no such count: it is made anew from ledgers and corpus, once."""
    workspace = prepared(tmp_path, template, open_policy(), {}, set())
    first = [item("1", kind="poem"), item("2", None), item("3"), item("4", kind="poem"), item("4", None)]
    second = [item("1"), item("2", audience="direct"), item("3", kind="poem")]
    for readings_ in (first, second):
        import_items(workspace, "table", iter([batch(readings_)]), now=NOW)
    forget_counts(workspace)
    expected_now = {"audience": 1, "unknown-author": 1, "unknown-kind": 1}
    with reading_session(workspace) as session:
        assert left_out_now(workspace.root, session.register, session.corpus) == expected_now
    import_items(workspace, "table", iter([batch([item("4"), item("5", None)])]), now=NOW)
    with reading_session(workspace) as session:
        assert left_out_now(workspace.root, session.register, session.corpus) == expected_now


def forget_counts(workspace: Workspace) -> None:
    """Takes out of register and folder what only a newer demur writes."""
    for path in (workspace.root / "imports").glob("*.left-out.parquet"):
        path.unlink()
    with sqlite3.connect(workspace.root / "register.db") as database:
        rows = database.execute("SELECT seq, payload FROM entry WHERE kind = 'import.finished'").fetchall()
        for seq, payload in rows:
            told = json.loads(payload)
            del told[NOW_LEFT_OUT]
            database.execute("UPDATE entry SET payload = ? WHERE seq = ?", (json.dumps(told), seq))
