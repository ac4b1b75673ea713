"""`status --html` and `verify --html`: one page that stands alone, and says what the text says."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from calling import Demur
from desk import ANN, signed_workspace, write_posts
from pages import text_of
from sheets import read_sheet

from demur.cli.sheets import Checked, verify_sheet
from demur.versions.findings import Code, Findings

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def stale(demur: Demur, fast_tmp: Path) -> Path:
    """A workspace with a version that somebody objected after, long ago."""
    root = signed_workspace(fast_tmp / "forum").root
    demur("import", "table", write_posts(fast_tmp / "posts.jsonl"), "-w", root)
    demur("publish", "spring", "-w", root)
    long_ago = datetime.now(UTC).date() - timedelta(days=70)
    assert demur("object", "--account", ANN, "--received", str(long_ago), "-w", root).code == 0
    return root


def test_the_status_as_a_page(demur: Demur, stale: Path, fast_tmp: Path) -> None:
    printed = demur("status", "--html", "-w", stale)
    assert (printed.code, printed.err) == (0, "")
    tree = read_sheet(printed.out)
    words = text_of(next(tree.iter("main")))
    for said in ("rows in the corpus 2", "Overdue: answer 1 objection", "audience 1 door.audiences", "1 to 9 1"):
        assert said in words
    written = demur("status", "--html", fast_tmp / "status.html", "-w", stale)
    assert written.out.startswith("Corpus       2 rows\n")
    assert str(fast_tmp / "status.html") in written.err
    assert text_of(next(read_sheet((fast_tmp / "status.html").read_text()).iter("main"))) == words


def test_a_check_as_a_page(demur: Demur, stale: Path, fast_tmp: Path) -> None:
    wrong = demur("verify", "--now", "--html", "spring", "-w", stale)
    assert (wrong.code, wrong.err.count("\n")) == (1, 1)
    words = text_of(next(read_sheet(wrong.out).iter("main")))
    assert "Version spring does not hold: 3 findings." in words
    assert "author 2 rows that a suppressed person wrote" in words
    assert "as published 4 named by a finding 3 the rest 1" in words
    right = demur("verify", "spring", "--html", fast_tmp / "v.html", "-w", stale)
    assert right.code == 0
    assert "Nothing is wrong." in text_of(next(read_sheet((fast_tmp / "v.html").read_text()).iter("main")))


def test_a_page_and_json_are_not_printed_together(demur: Demur, stale: Path, fast_tmp: Path) -> None:
    assert demur("status", "--json", "--html", "-w", stale).code == 2
    nowhere = demur("demo", fast_tmp / "demo", "--html", fast_tmp / "nowhere" / "s.html")
    assert (nowhere.code, nowhere.err.count("\n"), (fast_tmp / "demo").exists()) == (2, 1, False)
    both = demur("status", "--json", "--html", fast_tmp / "s.html", "-w", stale)
    assert both.json["rows"] == 2
    assert (fast_tmp / "s.html").is_file()


def test_what_stands_in_a_finding_is_escaped_and_only_some_rows_are_named() -> None:
    findings = Findings(most=1000)
    for number in range(200):
        findings.add(Code.AUTHOR, f"Row {number} <script>alert(1)</script>", str(number))
    findings.note("not <b>checked</b>")
    html = verify_sheet(
        Checked("a<b", 500, current=True, places={None: findings, Path("/x/<y>"): Findings()}), made=NOW
    )
    words = text_of(next(read_sheet(html).iter("main")))
    assert words.count("<script>") == 25
    assert "... and 175 more" in words
    assert Counter(words.split())["<b>checked</b>"] == 1
    assert "The export in /x/<y>" in words
