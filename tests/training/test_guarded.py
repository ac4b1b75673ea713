"""The guard at the door of a model: what the answers say of it, over the command line and over HTTP."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pyarrow as pa
import pytest
from calling import Demur
from served import Thread
from trainable import Community, account, posts

from demur.corpus.honour import honour
from demur.errors import UnavailableError
from demur.register.members.rows import MEMBER
from demur.training.generating import Generation, Sampling
from demur.training.serving import Model, serving
from demur.web.completions.root import create_app
from demur.web.server.crowd import Bounds

NAME: Final = "Vera Lindqvist"
WHO: Final = 2
"""Whose name it is."""
FEW: Final = Sampling(tokens=8, seed=1)


@pytest.fixture
def told(own: Community) -> Community:
    """Somebody with a name has objected, and the corpus follows."""
    rows = [{"account": account(WHO), "names": [NAME], "locale": "sv"}]
    with own.workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)])
        register.objections.lodge([account(WHO)], channel="letter")
    honour(own.workspace)
    return own


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has any model say a text, a word at a time."""

    def say(text: str) -> None:
        def drawn(self: Generation) -> Iterator[str]:
            for word in text.split(" "):
                self.tokens += 1
                yield f" {word}"

        monkeypatch.setattr(Generation, "__iter__", drawn)

    return say


def theirs() -> str:
    """The longest of what they wrote without naming anybody."""
    return max((str(each["text"]) for each in posts() if each["author"] == account(WHO) and not each["spans"]), key=len)


def test_a_name_is_masked_and_counted(told: Community, says: Callable[[str], None]) -> None:
    says(f"I met {NAME} at the market.")
    with serving(told.workspace, "one") as model:
        _, generation, text = model.complete("rain", FEW)
    assert text == " I met [person] at the market."
    assert (generation.masked, generation.finish) == (1, "length")


def test_switched_off_it_lets_everything_pass(told: Community, says: Callable[[str], None]) -> None:
    says(f"I met {NAME} at the market.")
    with serving(told.workspace, "one", guarded=False) as model:
        _, generation, text = model.complete("rain", FEW)
    assert NAME in text
    assert generation.masked is None


def test_a_text_ends_before_what_they_wrote(told: Community, says: Callable[[str], None]) -> None:
    says(theirs())
    with serving(told.workspace, "one") as model:
        _, generation, text = model.complete("rain", FEW)
    assert (text, generation.finish) == ("", "content_filter")


def test_who_objects_while_it_is_searched_is_looked_for(
    told: Community, says: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    says("I met Nora Falk at the market.")
    rows = [{"account": "forum:nora", "names": ["Nora Falk"], "locale": "sv"}]
    with told.workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)])
    with serving(told.workspace, "one") as model:
        assert "Nora Falk" in model.complete("rain", FEW)[2]
        guard = model._guard
        assert guard is not None
        ask, first = guard.rules, [True]

        def object_meanwhile(by: tuple[int, str]) -> object:
            found = ask(by)
            if first and first.pop():
                with told.workspace.register() as register:
                    register.objections.lodge(["forum:nora"], channel="letter")
            return found

        monkeypatch.setattr(guard, "rules", object_meanwhile)
        assert model.complete("rain", FEW)[2] == " I met [person] at the market."


def test_nothing_leaves_where_withheld_people_cannot_be_looked_up(told: Community, says: Callable[[str], None]) -> None:
    says("Nothing of anybody.")
    with serving(told.workspace, "one") as model:
        assert model.complete("rain", FEW)[2]
        versions = told.workspace.beside_path / "fingerprints.lance" / "_versions"
        versions.rename(versions.with_name("away"))
        with told.workspace.register() as register:
            register.objections.lodge(["forum:somebody"], channel="letter")
        with pytest.raises(UnavailableError, match="so nothing leaves"):
            model.complete("rain", FEW)
        with pytest.raises(UnavailableError, match="so nothing leaves"):
            list(model.pieces("rain", FEW)[2])


def test_the_command_says_what_the_guard_did(told: Community, says: Callable[[str], None], demur: Demur) -> None:
    says(f"{NAME} said so.")
    asked = ("generate", "one", "rain", "--tokens", "6", "-w", told.workspace.root)
    ended = demur(*asked)
    assert ended.out.strip() == "[person] said so."
    assert "1 name of withheld people masked" in ended.err
    without = demur(*asked, "--no-guard")
    assert NAME in without.out
    assert "Without the guard" in without.err
    facts = json.loads(demur(*asked, "--json").out)
    assert (facts["guard"], facts["masked"]) == (True, 1)
    assert json.loads(demur(*asked, "--no-guard", "--json").out)["guard"] is False
    assert demur("serve", "--no-guard", "-w", told.workspace.root).code == 2


# over HTTP


@pytest.fixture
def model(told: Community) -> Iterator[Model]:
    with serving(told.workspace, "one") as found:
        yield found


def ask(told: Community, model: Model, **said: Any) -> httpx.Response:  # noqa: ANN401  # fields of a request
    body = {"model": "one", "prompt": "rain", "max_tokens": 6} | said
    with Thread(create_app(told.workspace, model, keyed=False), Bounds()).running() as thread:
        return httpx.post(f"http://127.0.0.1:{thread.port}/v1/completions", json=body, timeout=60)


def test_a_completion_says_how_many_names_were_masked(
    told: Community, model: Model, says: Callable[[str], None]
) -> None:
    says(f"{NAME} met {NAME}.")
    answer = ask(told, model).json()
    assert answer["demur"] == {"guard": True, "masked": 2}
    assert answer["choices"][0]["text"] == " [person] met [person]."


def test_a_completion_that_was_cut_says_so(told: Community, model: Model, says: Callable[[str], None]) -> None:
    says(theirs())
    answer = ask(told, model).json()
    assert answer["choices"][0]["finish_reason"] == "content_filter"
    assert answer["choices"][0]["text"] == ""


def test_a_stream_that_was_cut_says_so(told: Community, model: Model, says: Callable[[str], None]) -> None:
    before = " ".join(["and then we walked along"] * 40)
    says(f"{before} with {NAME}.\n{theirs()}")
    lines = [line.removeprefix("data: ") for line in ask(told, model, stream=True).text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    events = [json.loads(line) for line in lines[:-1]]
    text = "".join(each["choices"][0]["text"] for each in events)
    assert text.strip() == f"{before} with [person]."
    assert len(events) > 3
    assert events[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert events[-1]["demur"] == {"guard": True, "masked": 1}
