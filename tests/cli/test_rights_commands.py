"""``demur access`` and ``demur erase``, as somebody at a terminal or a script meets them."""

import re
import zipfile
from pathlib import Path

import pytest
from calling import Demur
from desk import ANN, BEN, signed_workspace, stored, write_posts

from demur.workspace import find as workspace_in


@pytest.fixture
def shop(fast_tmp: Path, demur: Demur) -> Path:
    """A workspace with the posts of desk.py, published and exported."""
    root = fast_tmp / "shop"
    signed_workspace(root)
    posts = write_posts(fast_tmp / "posts.jsonl")
    assert demur("import", "table", posts, "-w", root).code == 0
    assert demur("publish", "v1", "-w", root).code == 0
    assert demur("export", "v1", "--to", fast_tmp / "out", "-w", root).code == 0
    return root


def test_a_copy_is_written_and_counted(shop: Path, fast_tmp: Path, demur: Demur) -> None:
    done = demur("access", "--account", ANN, "--to", fast_tmp / "ann.zip", "-w", shop)
    assert (done.code, done.err) == (0, "")
    assert "2 rows of theirs, 1 row of others about them, 1 version that holds such rows; 1 account." in done.out
    assert zipfile.is_zipfile(fast_tmp / "ann.zip")
    again = demur("access", "--account", ANN, "--to", fast_tmp / "ann.zip", "-w", shop)
    assert (again.code, again.err.count("\n")) == (2, 1)
    told = demur("access", "--account", BEN, "--to", fast_tmp / "ben.zip", "--json", "-w", shop).json
    assert (told["own"], told["about"], told["path"]) == (1, 0, str(fast_tmp / "ben.zip"))


def test_of_an_account_that_nobody_knows_there_is_no_copy(shop: Path, fast_tmp: Path, demur: Demur) -> None:
    done = demur("access", "--account", "forum:never", "--to", fast_tmp / "no.zip", "-w", shop)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert "Nothing is held of or about forum:never" in done.err
    assert not (fast_tmp / "no.zip").exists()


def test_accounts_that_were_merely_named_are_told_of(shop: Path, fast_tmp: Path, demur: Demur) -> None:
    assert demur("object", "--account", ANN, "--account", BEN, "-w", shop).code == 0
    copied = demur("access", "--account", ANN, "--to", fast_tmp / "ann.zip", "-w", shop)
    assert "Not in it: 1 account" in copied.out
    erased = demur("erase", "--account", ANN, "--yes", "-w", shop)
    assert "Not erased: 1 account" in erased.out


def test_an_erasure_prints_its_receipt(shop: Path, fast_tmp: Path, demur: Demur) -> None:
    done = demur("erase", "--account", ANN, "--yes", "-w", shop)
    assert (done.code, done.err) == (0, "")
    assert "rows deleted     2 of theirs" in done.out
    assert "rows rewritten   1 of others" in done.out
    assert "versions retired v1" in done.out
    kept = r"  kept +to honour it alone, as keyed numbers: 1 spelling, fingerprints of \d items?, 2 threads"
    assert re.search(kept, done.out)
    listed = shop / "recalls" / "v1.csv"
    assert (
        f"Recall the export of v1 in {fast_tmp / 'out'}: tell whoever has it to remove the rows in {listed}."
        in done.out
    )
    assert listed.read_text().count("\n") == 4
    assert len(stored(shop)) == 2
    again = demur("erase", "--account", ANN, "--yes", "--json", "-w", shop).json
    assert (again["own"], again["about"], again["retired"], again["overwritten"]) == (0, 0, [], True)


def test_somebody_without_an_account_is_named_by_reference(shop: Path, fast_tmp: Path, demur: Demur) -> None:
    said = ("--name", "Nora Nameless", "--text", "Leave me out.")
    reference = demur("object", *said, "--json", "-w", shop).json["reference"]
    copied = demur("access", "--reference", reference, "--to", fast_tmp / "nora.zip", "-w", shop)
    assert (copied.code, copied.err) == (0, "")
    with zipfile.ZipFile(fast_tmp / "nora.zip") as archive:
        assert b"Leave me out." in archive.read("copy.json")
    erased = demur("erase", "--reference", reference.lower(), "--yes", "-w", shop)
    assert "accounts         1" in erased.out
    again = demur("erase", "--reference", reference, "--yes", "-w", shop)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "nothing is left" in again.err
    assert len(stored(shop)) == 4


@pytest.mark.parametrize("command", ["access", "erase"])
def test_it_takes_an_account_or_a_reference_that_is_no_account_s(
    shop: Path, fast_tmp: Path, demur: Demur, command: str
) -> None:
    rest = ("--to", fast_tmp / "copy.zip") if command == "access" else ("--yes",)
    reference = demur("object", "--account", ANN, "--json", "-w", shop).json["reference"]
    for whose in ((), ("--account", ANN, "--reference", reference)):
        wrong = demur(command, *whose, *rest, "-w", shop)
        assert (wrong.code, "--account or --reference" in wrong.err) == (2, True)
    refused = demur(command, "--reference", reference, *rest, "-w", shop)
    assert (refused.code, "make sure who asks" in refused.err, "--account" in refused.err) == (2, True, True)
    unknown = demur(command, "--reference", "7KQ2-9XJM-4TPA-C0WD", *rest, "-w", shop)
    assert (unknown.code, unknown.err.count("\n")) == (2, 1)


def test_nothing_is_erased_where_nobody_could_be_asked(shop: Path, demur: Demur) -> None:
    done = demur("erase", "--account", ANN, "-w", shop)
    assert (done.code, done.out) == (2, "")
    assert "--yes" in done.err
    assert len(stored(shop)) == 4


@pytest.mark.parametrize(("answer", "left"), [("n\n", 4), ("y\n", 2)])
def test_at_a_terminal_it_asks(
    shop: Path, demur: Demur, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    done = demur("erase", "--account", ANN, "-w", shop)
    assert "2 rows of theirs go, 1 row of others are masked or go" in done.err
    assert done.code == (0 if left == 2 else 130)
    assert len(stored(shop)) == left


class Terminal:
    """Somebody who types one answer."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self._answer


def test_maintenance_finishes_what_another_writer_kept_waiting(shop: Path, demur: Demur) -> None:
    with workspace_in(shop).writing("import"):
        done = demur("erase", "--account", ANN, "--yes", "-w", shop)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "recorded" in done.err
    done = demur("maintain", "-w", shop)
    assert "Erasures finished: 1." in done.out
    assert len(stored(shop)) == 2
