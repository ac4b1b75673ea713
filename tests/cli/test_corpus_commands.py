"""Import, find, explain, publish, export, recall, verify, status, maintain and demo, on a real workspace."""

import json
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from calling import Demur
from desk import ANN, BEN, POSTS, filled_workspace, signed_workspace, stored, write_posts
from pages import text_of
from sheets import read_sheet
from silence import doubted

from demur.cli.frame import honouring
from demur.corpus.datasets.compaction import MOST_SMALL
from demur.corpus.honour import honour
from demur.status import answer_due
from demur.terms import EntryKind, Reason
from demur.workspace import Workspace, find


@pytest.fixture
def forum(fast_tmp: Path) -> Path:
    """A workspace's folder; nothing was imported yet."""
    return signed_workspace(fast_tmp / "forum").root


@pytest.fixture
def posts(fast_tmp: Path) -> Path:
    return write_posts(fast_tmp / "posts.jsonl")


@pytest.fixture
def filled(fast_tmp: Path, posts: Path) -> Path:  # noqa: ARG001  # which lie beside it
    """A workspace's folder with the posts in it."""
    return filled_workspace(fast_tmp / "forum").root


def _key(root: Path, item: str) -> str:
    return Workspace(root).keys().pepper.item_key(item).hex()


# A workspace into which nothing was imported yet


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("status",), "Nothing was imported yet"),
        (("versions",), "No version yet"),
        (("find", "--account", ANN), "0 rows written by them."),
        (("policy", "explain", "--counts"), "Nothing was imported yet"),
        (("policy", "explain", "forum:1"), "Not in the corpus, and no import has left it out"),
        (("maintain",), "0 fragments before, 0 now"),
    ],
)
def test_an_empty_workspace_answers(demur: Demur, forum: Path, command: tuple[str, ...], said: str) -> None:
    result = demur(*command, "-w", forum)
    assert (result.code, result.err) == (0, "")
    assert said in result.out


def test_reading_commands_make_no_corpus(demur: Demur, forum: Path) -> None:
    assert demur("status", "-w", forum).code == 0
    assert not (forum / "corpus.lance").exists()


# Importing


def test_an_import_accounts_for_every_item(demur: Demur, forum: Path, posts: Path) -> None:
    told = demur("import", "table", posts, "-w", forum, "--json").json
    assert (told["number"], told["source"], told["read"], told["kept"]) == (1, "table", 5, 4)
    assert told["left_out"] == {"audience": 1}
    assert told["rules"]["audience"].startswith('`door.audiences = ["public"]`')
    assert told["to_change"] == []
    assert told["kinds"] == {"post": 5}
    again = demur("import", "table", posts, "-w", forum)
    assert "Import 2 from table: 5 items read, 4 kept, 1 left out" in again.out
    assert "4 rows of earlier imports replaced or removed." in again.out
    assert "audience      1" in again.out


def test_an_import_that_keeps_nothing_says_which_line_to_change(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    posts = write_posts(fast_tmp / "direct.jsonl", [{**POSTS[0], "audience": "direct"}])
    result = demur("import", "table", posts, "-w", forum)
    number = 1 + (forum / "demur.toml").read_text().splitlines().index('audiences = ["public"]')
    assert result.code == 0
    assert f"line {number} of demur.toml (door.audiences)" in result.out


def test_an_import_that_reads_nothing_says_so(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    empty = fast_tmp / "empty.jsonl"
    empty.write_text("")
    assert "There is no item in what was read" in demur("import", "table", empty, "-w", forum).out


def test_the_options_of_a_source_stand_in_the_policy(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    with (forum / "demur.toml").open("a") as file:
        file.write('\n[sources.table]\nvalues.audience = "direct"\n')
    posts = write_posts(fast_tmp / "posts.jsonl")
    assert demur("import", "table", posts, "-w", forum, "--json").json["left_out"] == {"audience": 5}


def test_shells_complete_sources(demur: Demur, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_DEMUR_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", "demur import mas")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert "mastodon" in demur().out.split("\n")


# Finding


def test_a_person_is_found_in_all_linked_accounts(demur: Demur, filled: Path) -> None:
    found = demur("find", "--account", ANN, "--json", "-w", filled).json
    assert (found["accounts"], found["own"], found["about"], found["objected"]) == (1, 2, 1, False)
    assert [row["how"] for row in found["rows"]] == [["author"], ["author"], ["mention"]]
    assert {row["item"] for row in found["rows"]} == {_key(filled, f"forum:{number}") for number in (1, 2, 3)}
    assert demur("link", ANN, BEN, "-w", filled).code == 0
    both = demur("find", "--account", BEN, "--json", "-w", filled).json
    assert (both["accounts"], both["own"], both["about"]) == (2, 3, 0)


def test_text_is_printed_only_where_it_is_asked_for(demur: Demur, filled: Path) -> None:
    for extra in ((), ("--json",)):
        assert "library" not in demur("find", "--account", ANN, *extra, "-w", filled).out
        assert "library" in demur("find", "--account", ANN, "--text", *extra, "-w", filled).out


@pytest.mark.parametrize(
    ("words", "items"),
    [
        ("library opens", {1}),
        ("LIBRARY  opens", {1}),
        ("open", set()),  # whole words
        ("opens library", set()),  # in this order
        ("Call", {2}),
        ("you bake tomorrow?", {3}),
        ("(", None),
    ],
)
def test_rows_are_found_by_their_words(demur: Demur, filled: Path, words: str, items: set[int] | None) -> None:
    result = demur("find", "--text", words, "--json", "-w", filled)
    if items is None:
        assert (result.code, result.err.count("\n")) == (2, 1)
        return
    assert {hit["item"] for hit in result.json["hits"]} == {_key(filled, f"forum:{number}") for number in items}
    assert result.json["rows"] == len(items)


def test_a_search_is_bounded_and_on_record_without_its_words(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    text = "Before that. " * 20 + "The Straße in Łódź\nis long. " + "After that. " * 20
    rows = [{"item": f"forum:{n}", "author": ("ann", "ben")[n % 2], "text": text} for n in range(50)]
    demur("import", "table", write_posts(fast_tmp / "many.jsonl", rows), "-w", forum)
    demur("consent", "give", "--account", ANN, "-w", forum)  # so that the register knows the account of this key
    result = demur("find", "--text", "straße IN łódź is", "--limit", "5", "-w", forum)
    assert result.out.startswith("50 rows hold these words, the newest first:")
    assert result.out.count("The Straße in Łódź is long.") == 5
    assert "that. The Straße in Łódź is long. After" in result.out
    assert result.out.endswith("  ... and 45 more: --limit lists them.\n")
    assert len(result.out) < 2000
    theirs = demur("find", "--text", "łódź", "--account", ANN, "--json", "-w", forum).json
    assert theirs["rows"] == 25
    assert {hit["author"] for hit in theirs["hits"]} == {ANN}
    with find(forum).register() as register:
        read = [entry.payload for entry in register.log.entries(EntryKind.DATA_READ)]
    assert read == [{"command": "find", "by": "words", "rows": rows} for rows in (5, 20)]


def test_a_limit_leaves_the_counts_whole(demur: Demur, filled: Path) -> None:
    result = demur("find", "--account", ANN, "--limit", "1", "-w", filled)
    assert "2 rows written by them:" in result.out
    assert "... and 1 more: --limit lists them." in result.out


def test_nothing_is_found_of_somebody_who_objected(demur: Demur, filled: Path) -> None:
    assert demur("object", "--account", ANN, "-w", filled).code == 0
    found = demur("find", "--account", ANN, "--json", "-w", filled).json
    assert (found["own"], found["about"], found["objected"]) == (0, 0, True)


def test_a_malformed_account_is_told(demur: Demur, filled: Path) -> None:
    result = demur("find", "--account", "ann", "-w", filled)
    assert result.code == 2
    assert "namespace:value" in result.err


# Explaining


def test_an_item_that_was_kept_is_explained(demur: Demur, filled: Path) -> None:
    told = demur("policy", "explain", "forum:2", "--json", "-w", filled).json
    assert (told["kept"], told["masks"], told["reason"]) == (True, {"[phone]": 1}, None)
    assert told == demur("policy", "explain", _key(filled, "forum:2"), "--json", "-w", filled).json
    assert "[phone] 1 time." in demur("policy", "explain", "forum:2", "-w", filled).out


def test_an_item_that_was_left_out_is_explained(demur: Demur, filled: Path) -> None:
    told = demur("policy", "explain", "forum:4", "--json", "-w", filled).json
    assert (told["kept"], told["left_out_by"], told["reason"]) == (False, 1, "audience")
    assert "(door.audiences)" in told["to_change"][0]
    human = demur("policy", "explain", "forum:4", "-w", filled).out
    assert human.startswith("Left out by import 1, by the reason audience.")
    assert "Should one of the imports since" not in human


def test_the_last_reading_is_explained(demur: Demur, filled: Path, fast_tmp: Path) -> None:
    edited = write_posts(fast_tmp / "edited.jsonl", [{**POSTS[0], "audience": "followers"}, {**POSTS[0], "text": " "}])
    assert demur("import", "table", edited, "-w", filled).code == 0
    told = demur("policy", "explain", "forum:1", "--json", "-w", filled).json
    assert (told["left_out_by"], told["reason"]) == (2, "empty")
    older = demur("policy", "explain", "forum:4", "-w", filled).out
    assert "Should one of the imports since (2 is the last) have kept it, it was removed again." in older


def test_what_left_without_a_trace_is_said_to(demur: Demur, filled: Path) -> None:
    assert demur("object", "--account", ANN, "-w", filled).code == 0
    result = demur("policy", "explain", "forum:1", "-w", filled)
    assert result.out.startswith("Not in the corpus, and no import has left it out")


def test_a_superseded_reading_is_no_reason(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    twice = write_posts(fast_tmp / "twice.jsonl", [POSTS[0], {**POSTS[0], "text": "The library opens at ten."}])
    assert demur("import", "table", twice, "-w", forum, "--json").json["left_out"] == {Reason.SUPERSEDED: 1}
    assert demur("object", "--account", ANN, "-w", forum).code == 0
    assert demur("policy", "explain", "forum:1", "--json", "-w", forum).json["reason"] is None


def test_counts_add_up_over_all_imports(demur: Demur, filled: Path, posts: Path) -> None:
    assert demur("import", "table", posts, "-w", filled).code == 0
    told = demur("policy", "explain", "--counts", "--json", "-w", filled).json
    assert [(each["number"], each["counts"]["read"]) for each in told["last"]] == [(2, 5)]
    total = told["total"]
    assert (total["read"], total["kept"], total["left_out"]) == (10, 8, {"audience": 2})
    assert (
        "All 2 imports together: 10 items read, 8 kept, 2 left out."
        in demur("policy", "explain", "--counts", "-w", filled).out
    )


def test_counts_say_what_is_left_out_now(demur: Demur, filled: Path, fast_tmp: Path) -> None:
    """The two items that the first import left out are kept by the second."""
    public = write_posts(fast_tmp / "public.jsonl", [{**post, "audience": "public"} for post in POSTS])
    assert demur("policy", "explain", "--counts", "--json", "-w", filled).json["left_out_now"] == {"audience": 1}
    assert demur("import", "table", public, "-w", filled).code == 0
    told = demur("policy", "explain", "--counts", "--json", "-w", filled).json
    assert (told["total"]["left_out"], told["left_out_now"]) == ({"audience": 1}, {})


def test_the_same_ids_from_a_file_of_another_name_come_in_once(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    bare = [{**post, "item": str(number)} for number, post in enumerate(POSTS)]
    for name in ("posts.jsonl", "posts (1).jsonl"):
        assert demur("import", "table", write_posts(fast_tmp / name, bare), "-w", forum).code == 0
    assert demur("status", "--json", "-w", forum).json["rows"] == 4


def test_ids_that_an_older_demur_named_after_a_file_are_replaced_or_refused(
    demur: Demur, forum: Path, fast_tmp: Path
) -> None:
    bare = write_posts(fast_tmp / "posts.jsonl", [{**post, "item": str(at)} for at, post in enumerate(POSTS)])
    text = (forum / "demur.toml").read_text()
    (forum / "demur.toml").write_text(text + '\n[sources.table]\nsource = "filename-stem"\n')
    assert demur("import", "table", bare, "-w", forum).code == 0
    with sqlite3.connect(forum / "register.db") as database:  # as that demur wrote its entry
        database.execute("UPDATE entry SET payload = json_remove(payload, '$.left_out_now')")
    assert demur("import", "table", bare, "-w", forum, "--json").json["replaced"] == 4
    (forum / "demur.toml").write_text(text)
    refused = demur("import", "table", bare, "-w", forum)
    assert refused.code == 2
    assert "would come in twice: write source in [sources.table] of demur.toml" in refused.err
    assert demur("status", "--json", "-w", forum).json["rows"] == 4


@pytest.mark.parametrize("arguments", [(), ("forum:1", "--counts"), ("forum",), ("forum:\n",)])
def test_explain_wants_an_item_or_counts(demur: Demur, filled: Path, arguments: tuple[str, ...]) -> None:
    result = demur("policy", "explain", *arguments, "-w", filled)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1


def test_a_damaged_ledger_is_told(demur: Demur, filled: Path) -> None:
    (filled / "imports" / "000001.parquet").write_bytes(b"no parquet")
    result = demur("policy", "explain", "forum:4", "-w", filled)
    assert result.code == 2
    assert "000001.parquet can't be read" in result.err


# Versions


def test_a_version_is_published_exported_and_verified(demur: Demur, filled: Path, fast_tmp: Path) -> None:
    assert demur("publish", "spring", "-w", filled).out.startswith("Version spring is published: 4 rows,")
    told = demur("export", "spring", "--format", "parquet", "--to", fast_tmp / "out", "--json", "-w", filled).json
    assert told["rows"] == 4
    assert sum(pq.read_metadata(fast_tmp / "out" / each["path"]).num_rows for each in told["files"]) == 4
    checked = demur("verify", "spring", "--json", "-w", filled).json
    assert checked["ok"]
    assert [each["export"] for each in checked["checked"]] == [None, str(fast_tmp / "out")]
    assert "spring" in demur("versions", "-w", filled).out


def test_an_objection_makes_a_version_stale(demur: Demur, filled: Path, fast_tmp: Path) -> None:
    demur("publish", "spring", "-w", filled)
    demur("object", "--account", ANN, "-w", filled)
    assert demur("verify", "spring", "-w", filled).code == 0
    now = demur("verify", "spring", "--now", "-w", filled)
    assert now.code == 1
    assert f"Row {_key(filled, 'forum:1')} was written by a suppressed person." in now.out
    assert now.err.count("\n") == 1
    (state,) = demur("versions", "--json", "-w", filled).json["versions"]
    assert (state["name"], state["stale"], state["retired"]) == ("spring", 3, False)
    refused = demur("export", "spring", "--to", fast_tmp / "out", "-w", filled)
    assert refused.code == 1
    assert not (fast_tmp / "out").exists()
    recalled = demur("recall", "spring", "--to", fast_tmp / "recall.csv", "--json", "-w", filled).json
    assert recalled["rows"] == 3
    listed = pyarrow.csv.read_csv(fast_tmp / "recall.csv").column("item").to_pylist()
    assert set(listed) == {_key(filled, f"forum:{number}") for number in (1, 2, 3)}


def test_verify_sums_up_and_names_every_row_on_request(demur: Demur, forum: Path, fast_tmp: Path) -> None:
    many = write_posts(fast_tmp / "many.jsonl", [{**POSTS[0], "item": f"forum:{n}"} for n in range(120)])
    demur("import", "table", many, "-w", forum)
    demur("publish", "spring", "-w", forum)
    demur("object", "--account", ANN, "-w", forum)
    summed = demur("verify", "spring", "--now", "-w", forum)
    assert summed.code == 1
    assert "    120  author: rows that a suppressed person wrote\n" in summed.out
    assert "... and 117 more\n" in summed.out
    assert summed.out.count("was written by") == 3
    assert len(summed.out.splitlines()) < 10
    every = demur("verify", "spring", "--now", "--all", "-w", forum)
    told = demur("verify", "spring", "--now", "--json", "-w", forum)
    assert (every.code, told.code) == (1, 1)
    assert every.out.count("was written by") == len(told.json["checked"][0]["findings"]) == 120


def test_what_the_worker_honoured_first_is_told(demur: Demur, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    follow = honouring._follow

    def after_the_worker(workspace: Workspace, after: int | None) -> object:
        honour(workspace)
        return follow(workspace, after)

    monkeypatch.setattr(honouring, "_follow", after_the_worker)
    result = demur("object", "--account", ANN, "-w", filled)
    assert "by the worker or another command already: 2 rows deleted, 1 row rewritten." in result.out


def test_an_export_that_was_changed_does_not_hold(demur: Demur, filled: Path, fast_tmp: Path) -> None:
    demur("publish", "spring", "-w", filled)
    demur("export", "spring", "--to", fast_tmp / "out", "-w", filled)
    (file,) = (fast_tmp / "out").rglob("*.parquet")
    pq.write_table(pq.read_table(file).slice(1), file)
    for extra in ((), ("--export", str(fast_tmp / "out"))):
        result = demur("verify", "spring", *extra, "-w", filled)
        assert result.code == 1
        assert "A row was removed after it was published" in result.out
    moved = (fast_tmp / "out").rename(fast_tmp / "elsewhere")
    assert demur("verify", "spring", "-w", filled).code == 0
    assert demur("verify", "spring", "--export", moved, "--json", "-w", filled).json["ok"] is False


def test_a_retired_version_is_over(demur: Demur, filled: Path) -> None:
    demur("publish", "spring", "-w", filled)
    assert demur("retire", "spring", "-w", filled).code == 0
    assert "retired" in demur("versions", "-w", filled).out
    for command in (("verify", "spring"), ("retire", "spring"), ("publish", "spring")):
        result = demur(*command, "-w", filled)
        assert (result.code, result.err.count("\n")) == (2, 1)


def test_publishing_wants_a_signed_basis(demur: Demur, filled: Path) -> None:
    policy = filled / "demur.toml"
    policy.write_text(policy.read_text().replace('signed_by = "DPO"', 'signed_by = ""'))
    result = demur("publish", "spring", "-w", filled)
    assert (result.code, result.out) == (2, "")
    assert "is not signed" in result.err
    assert "not signed" in demur("status", "-w", filled).out


# Status and maintenance


def test_status_tells_where_a_workspace_stands(demur: Demur, filled: Path) -> None:
    demur("publish", "spring", "-w", filled)
    demur("object", "--account", ANN, "-w", filled)
    told = demur("status", "--json", "-w", filled).json
    assert (told["rows"], told["objections"], told["suppressed"]) == (2, 1, 1)
    assert (told["behind"], told["signed"], told["import_under_way"]) == (False, True, False)
    assert told["honoured"] == told["head"]["binding"]
    assert [each["source"] for each in told["imports"]] == ["table"]
    assert "stale: 3 rows to remove or replace" in demur("status", "-w", filled).out


def test_status_tells_what_is_due_and_what_waits(demur: Demur, filled: Path) -> None:
    demur("publish", "spring", "-w", filled)
    today = datetime.now(UTC).date()
    long_ago, last_week = today - timedelta(days=70), today - timedelta(days=7)
    for name, day in (("forum:x", long_ago), ("forum:y", last_week), (ANN, last_week)):
        demur("object", "--account", name, "--received", str(day), "-w", filled)
    told = demur("status", "--json", "-w", filled).json
    assert told["queue"] == 3
    assert told["queue_by_day"] == [[str(long_ago), 1], [str(last_week), 2]]
    assert [(each["on"], each["overdue"]) for each in told["deadlines"]] == [
        (str(answer_due(long_ago)), True),
        (str(answer_due(last_week)), False),
        (str(today + timedelta(days=30)), False),
    ]
    page = demur("status", "-w", filled).out
    assert "Queue        3 objections for an officer, 0 mails for the worker\n" in page
    assert f"  {answer_due(long_ago)} overdue  answer 1 objection (Art. 12(3) GDPR), the first by this day\n" in page
    assert "version spring, which is stale, is retired by `demur maintain`" in page


@pytest.mark.parametrize(
    ("came", "due"), [("2026-01-31", "2026-02-28"), ("2026-11-30", "2026-12-30"), ("2026-12-05", "2027-01-05")]
)
def test_an_answer_is_due_within_a_month(came: str, due: str) -> None:
    assert answer_due(date.fromisoformat(came)) == date.fromisoformat(due)


def test_what_was_recorded_while_the_corpus_was_busy_is_honoured_by_maintenance(demur: Demur, filled: Path) -> None:
    with find(filled).writing("import"):
        demur("object", "--account", ANN, "-w", filled)
    assert "`demur maintain` makes it" in demur("status", "-w", filled).out
    told = demur("maintain", "--json", "-w", filled).json
    assert (told["honoured"]["deleted"], told["honoured"]["rewritten"]) == (2, 1)
    assert demur("status", "--json", "-w", filled).json["behind"] is False
    assert len(stored(filled)) == 2


def test_an_edited_policy_is_due(demur: Demur, filled: Path) -> None:
    policy = filled / "demur.toml"
    policy.write_text(policy.read_text().replace('mentions = "mask"', 'mentions = "drop"'))
    assert demur("status", "--json", "-w", filled).json["behind"] is True
    assert demur("maintain", "-w", filled).code == 0
    assert demur("status", "--json", "-w", filled).json["behind"] is False


def test_maintenance_lapses_what_is_doubted_and_nobody_confirmed(demur: Demur, filled: Path) -> None:
    with find(filled).register() as register:
        typed = register.objections.lodge([ANN], channel="typed-in")
        doubted(register, typed.reference, datetime.now(UTC) - timedelta(days=1))
    told = demur("maintain", "--json", "-w", filled).json
    assert told["lapsed"] == 1
    assert demur("status", "--json", "-w", filled).json["objections"] == 0


def test_many_small_fragments_are_due(demur: Demur, filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demur.status.MOST_SMALL", 0)
    assert MOST_SMALL > 0
    assert "1 small fragment to merge: `demur maintain` does." in demur("status", "-w", filled).out


# The demo


def test_the_demo_runs_and_finds_nothing_wrong(demur: Demur, fast_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(fast_tmp)
    (fast_tmp / "demur-demo").mkdir()
    result = demur("demo", "--html", "demo.html", "--people", "12", "--seed", "7", "--json")
    assert result.code == 0
    assert result.err.startswith("The page is in ")
    told = result.json
    assert (told["clean"], told["folder"], told["residual"]) == (True, "demur-demo-2", [])
    assert json.dumps(told["imports"])
    main = next(read_sheet((fast_tmp / "demo.html").read_text()).iter("main"))
    assert "What an objection cost" in text_of(main)


def test_the_demo_overwrites_nothing(demur: Demur, forum: Path) -> None:
    for arguments in ((forum,), ("-w", forum)):
        result = demur("demo", *arguments, "--people", "30")
        assert (result.code, result.err.count("\n")) == (2, 1)
        assert "is a demur workspace already" in result.err
