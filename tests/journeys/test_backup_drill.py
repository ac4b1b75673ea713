"""The drill of docs/backup.md, command by command as it stands there: the disk is lost, and nobody's word with it.

All people are invented. Eighteen of the twenty object by the portal's own code, two by the page's commands.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from calling import Result
from desk import write_posts
from making import open_policy

from demur.cli import run
from demur.corpus.session import reading
from demur.errors import RegisterError
from demur.objecting.lodging import by_name
from demur.policy.model import RegisterPlace
from demur.register import ObjectionPhase
from demur.register.continuity.loss import undecided
from demur.terms import EntryKind
from demur.tokens import Purpose
from demur.versions.states import rows_of
from demur.versions.verify import check_version
from demur.web.desk import Desk
from demur.web.portal.receipt import find as find_receipt
from demur.workspace import Workspace, create

PAGE: Final = (Path(__file__).resolve().parents[2] / "docs" / "backup.md").read_text()
SHIM: Final = f"#!/bin/sh\nexec {sys.executable} -c 'from demur.cli import main; main()' \"$@\"\n"
SECRET: Final = "marmalade of bitter oranges"
"""What Flora wrote, and what has to be gone."""
PEOPLE: Final = 20


@dataclass
class Drill:
    """The folder in which the page's commands run, and what people were told meanwhile."""

    folder: Path
    references: list[str] = field(default_factory=list)
    receipts: dict[str, str] = field(default_factory=dict)
    """The token of a receipt's link, by reference."""

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.folder / "community")

    def run(self, line: str) -> Result:
        """One line of the page: a command alone in this process, all else by a shell that knows `demur`."""
        if line.startswith("demur ") and ";" not in line:
            with chdir(self.folder), redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
                code = run(shlex.split(line, comments=True)[1:])
            return Result(code, out.getvalue(), err.getvalue())
        environment = os.environ | {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def succeed(self, lines: list[str]) -> str:
        """Lines that have to succeed; what they said."""
        said = []
        for line in lines:
            done = self.run(line)
            assert done.code == 0, f"{line}\n{done.out}{done.err}"
            said.append(done.out)
        return "".join(said)

    def object_by_the_portal(self, people: range) -> None:
        """People type their accounts; each gets a receipt's link."""
        desk = Desk(self.workspace)
        for number in people:
            receipt = by_name(desk.register, f"forum:u{number}", desk.office("en"), ask=False)
            self.references.append(receipt.reference)
            self.receipts[receipt.reference] = desk.tokens.make(Purpose.RECEIPT, receipt.seq)
        desk.close()


def blocks() -> list[list[str]]:
    """The commands of each example of the page."""
    found = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return [block.splitlines() for block in found]


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """The page, up to where the restored workspace publishes and is backed up anew."""
    folder = tmp_path_factory.mktemp("drill")
    (folder / "bin").mkdir()
    (folder / "bin" / "demur").write_text(SHIM)
    (folder / "bin" / "demur").chmod(0o755)
    (folder / "other-disk").mkdir()
    (folder / "other-disk" / "passphrase").write_text("four words nobody guesses\n")
    posts = [{"item": f"forum:{n}", "author": f"u{n}", "text": f"Post number {n}."} for n in range(PEOPLE + 3)]
    write_posts(folder / "posts.jsonl", [*posts, {"item": "forum:f", "author": "flora", "text": f"I make {SECRET}."}])
    place = RegisterPlace(mark=str(folder / "other-disk" / "register.mark"))
    create(folder / "community", open_policy(register=place))
    drill = Drill(folder)
    backed_up, objecting, restoring, _ = blocks()
    drill.succeed(backed_up)
    drill.object_by_the_portal(range(PEOPLE - 2))
    drill.succeed(objecting)
    with drill.workspace.register() as register:
        drill.references += [each.reference for n in (18, 19) for each in register.objections.of(f"forum:u{n}")]
    shutil.copytree(folder / "community", folder / "stale")
    drill.succeed(restoring)
    return drill


def kept(drill: Drill) -> list[str]:
    with reading(drill.workspace) as session:
        return sorted(text for part in session.corpus.batches(["text"]) for text in part["text"].to_pylist())


def test_all_twenty_bind_and_their_rows_are_gone(drilled: Drill) -> None:
    assert len(drilled.references) == PEOPLE
    with drilled.workspace.register() as register:
        states = [register.objections.get(reference) for reference in drilled.references]
        assert all(state.binding for state in states)
        problems: list[str] = []
        register.audit(problems.append)
    assert problems == [], "what stands is what the entries say, those that a restore repeated included"
    assert kept(drilled) == [f"Post number {n}." for n in (20, 21, 22)]


def test_reading_the_source_again_brings_nobody_back(drilled: Drill) -> None:
    drilled.succeed([blocks()[0][0]])
    assert kept(drilled) == [f"Post number {n}." for n in (20, 21, 22)]


def test_receipts_lead_to_their_own_objection(drilled: Drill) -> None:
    desk = Desk(drilled.workspace)
    try:
        for reference, token in drilled.receipts.items():
            assert find_receipt(desk, token, acting=True).state.reference == reference
        newer = by_name(desk.register, "forum:late", desk.office("en"), ask=False)
        link = desk.tokens.make(Purpose.RECEIPT, newer.seq)
        assert find_receipt(desk, link).state.reference == newer.reference
    finally:
        desk.close()


def test_a_link_to_a_number_that_the_restore_did_not_give_leads_nowhere(drilled: Drill) -> None:
    """Else it would open the objection of whoever has the number now."""
    desk = Desk(drilled.workspace)
    try:
        newest = desk.register.log.head().seq
        desk.tokens._incarnation = 1  # as the lost server made them
        with pytest.raises(RegisterError):
            find_receipt(desk, desk.tokens.make(Purpose.RECEIPT, newest))
    finally:
        desk.close()


def test_the_erased_stay_erased_down_to_the_bytes(drilled: Drill) -> None:
    files = [path for path in drilled.workspace.root.rglob("*") if path.is_file()]
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    with drilled.workspace.register() as register:
        assert register.members.identifiers(register.persons.own("forum:flora")) == [None]
        assert register.persons.erasures() == []
        erased = [entry.payload for entry in register.log.entries(EntryKind.PERSON_ERASED)]
        assert [("replayed" in payload, payload["own"]) for payload in erased] == [(True, 1)]
        assert all(each.phase is ObjectionPhase.CONFIRMED for each in register.objections.of("forum:flora"))


def test_the_version_that_was_published_then_holds(drilled: Drill) -> None:
    workspace, name = drilled.workspace, "after-the-loss"
    places = (workspace.versions_path, workspace.lists_path, workspace.keys().signing.public_key())
    assert check_version(lambda: rows_of(workspace, name), name, *places).ok


def test_the_old_register_and_the_new_mark_refuse_each_other(drilled: Drill) -> None:
    with pytest.raises(RegisterError, match="incarnation 1 and 2"):
        Workspace(drilled.folder / "stale").register()


def test_without_the_mark_nothing_is_published_until_it_is_decided(drilled: Drill) -> None:
    lost, restored, refused, accepted = blocks()[3]
    assert "No mark was found" in drilled.run(f"{lost}; {restored}").err
    with drilled.workspace.register() as register:
        assert [entry.payload["loss"] for entry in register.log.entries(EntryKind.REGISTER_RESTORED)] == [
            "known",
            "unknown",
        ]
    told = drilled.run(refused)
    assert told.code == 2
    assert "--accept-loss" in told.err
    assert told.err.count("\n") == 1
    assert "--accept-loss" in drilled.succeed(["demur status -w community"])
    drilled.succeed([accepted])
    with drilled.workspace.register() as register:
        assert [entry.payload["unknown"] for entry in register.log.entries(EntryKind.LOSS_ACCEPTED)] == [True]
        assert undecided(register.log) is None
