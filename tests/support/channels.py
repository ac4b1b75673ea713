"""The channels by which things happen to an objection in the town, and what is written and told when they do.

Each is used as its people use it: pages by their forms, the API by its calls, the command line by its commands.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pages import Page, Visitor
from staffdoor import Door
from ways import Platform, letters

from demur.cli.app import run
from demur.register import Entry, ObjectionState, SingleMail
from demur.web.desk import Desk


@dataclass
class Happened:
    """What an act left behind."""

    entries: list[Entry] = field(default_factory=list)
    """Of the objection's life: those about it, in order."""
    mails: list[SingleMail] = field(default_factory=list)

    @property
    def written(self) -> list[str]:
        """The kinds of the entries."""
        return [each.kind.value for each in self.entries]

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """What each mail says, to whom, in which language."""
        return [(each.template, each.address, each.language) for each in self.mails]


@dataclass
class Town:
    """Everybody by whom something happens to an objection."""

    desk: Desk
    visitor: Visitor
    officer: Door
    platform: Platform
    key: str
    capsys: pytest.CaptureFixture[str]

    @contextmanager
    def watched(self) -> Iterator[Happened]:
        """What the block leaves behind in the register and in the outgoing mail."""
        letters(self.desk)
        before = self.desk.register.log.head().seq
        happened = Happened()
        yield happened
        happened.entries += [
            each for each in self.desk.register.log.entries(after=before) if each.kind.value.startswith("objection.")
        ]
        happened.mails += letters(self.desk)

    def calls(self, path: str, status: int = 200, **body: object) -> Any:  # noqa: ANN401  # JSON
        """The answer to a call of the API."""
        headers = {"Authorization": f"Bearer {self.key}"}
        told = self.visitor.client.post(f"/api/{path}", json=body or None, headers=headers)
        assert told.status_code == status, told.text
        return told.json()

    def runs(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401  # JSON
        """What a command prints for machines, None where it fails."""
        self.capsys.readouterr()
        assert run([*arguments, "--json", "-w", str(self.desk.workspace.root)]) == code
        out = self.capsys.readouterr().out
        return json.loads(out) if out else None

    def reviews(self, seq: int, act: str) -> Page:
        """The officer's page of an objection, once they pressed one of its buttons there."""
        here = f"/staff/objections/{seq}"
        return self.officer.act(self.officer.visitor.get(here), f"{here}/{act}")

    def records(self, **values: str) -> Page:
        """The page of what the officer has recorded from a letter."""
        page = self.officer.visitor.get("/staff/letters")
        form = next(each for each in page.forms if each.action == "/staff/letters")
        return self.officer.visitor.post("/staff/letters", form.values | values)

    def state(self, reference: str) -> ObjectionState:
        """How an objection stands."""
        return self.desk.register.objections.get(reference)
