"""A claim against the runs: whose rows hold the words, whether what serves has seen them, and what is put on record."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from making import NOW, batch, item
from modelling import trained
from town import ANN, DIETER, EWA, KARMENU, SILENT, found_town

from demur import workspace as workspaces
from demur.claims import answering, lodging
from demur.claims.lodging import Came
from demur.claims.passages import find
from demur.claims.testing import Asked, try_claim
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.errors import CorpusError, RegisterError, UsageError
from demur.objecting.office import Office
from demur.register import ClaimPhase, ClaimState, Outcome
from demur.register.claims import Said
from demur.runs.folder import ModelFolder
from demur.runs.pointer import read_pointer, write_pointer
from demur.terms import EntryKind
from demur.tokens import Tokens
from demur.workspace import Workspace

ORDER = (KARMENU, SILENT, DIETER, ANN, EWA)
LONG = "My grandmother kept the blue ledger of the ferry company in the attic above the old mill until it burned."


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = found_town(tmp_path_factory.mktemp("founded") / "town")
    import_items(made, "forum", [batch([item("7", DIETER, f"Listen. {LONG} That was in spring.")])])
    return made.root


@pytest.fixture
def town(founded: Path, fast_tmp: Path) -> Workspace:
    return workspaces.find(Path(shutil.copytree(founded, fast_tmp / "town")))


@pytest.fixture
def model(town: Workspace) -> ModelFolder:
    """One row a step: Dieter's are steps 2 and 3, Ann's 4 and 5."""
    return trained(town, [town.keys().pepper.subject_key(account) for account in ORDER])


def office(town: Workspace) -> Office:
    keys = town.keys()
    return Office(town.policy(), keys, Tokens.of(keys, 1), NOW, "en")


def lodged(town: Workspace, output: str, run: str | None = None, **said: str) -> ClaimState:
    with town.register() as register:
        return lodging.lodge(register, Said(output, **said), office(town), Came("letter"), run)


@pytest.mark.usefixtures("model")
def test_words_that_stand_in_a_row_are_held_and_whose_they_are_is_committed_to(town: Workspace) -> None:
    state = try_claim(town, lodged(town, f"It said: {LONG.upper()} And more.").reference).state
    assert (state.phase, state.outcome) == (ClaimPhase.TESTED, Outcome.HELD)
    assert state.result is not None
    assert state.result["runs"] == [{"run": "irc", "model": "0001", "rows": 1, "served": 1}]
    assert state.result["longest"] == len(LONG.split())
    with town.register() as register:
        dieter = np.array([town.keys().pepper.subject_key(DIETER)])
        (entry,) = register.log.concerning([EntryKind.CLAIM_TESTED], dieter)
        assert "dieter" not in str(entry.payload).lower()
        assert str(dieter[0]) not in str(entry.payload)


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        (LONG, 1),
        (" ".join(LONG.split()[3:15]), 1),
        (" ".join(LONG.split()[3:9]), 0),
        (LONG.replace(" in the ", " inside the "), 1),
        ("The library opens at nine.", 1),
        ("Yes, it does.\nThe library opens at nine.\nAnything else?", 1),
        ("The library is closed.", 0),
        ("", 0),
        ("\n\n...\n", 0),
    ],
)
def test_what_is_found_and_what_is_not(town: Workspace, output: str, rows: int) -> None:
    with reading(town) as session:
        assert len(find(session, output).rows) == rows


@pytest.mark.usefixtures("model")
def test_not_found_is_an_answer_with_what_was_looked_at(town: Workspace) -> None:
    done = try_claim(town, lodged(town, "Nobody ever wrote these eleven words here, not even once, really.").reference)
    assert (done.state.outcome, done.incident) == (Outcome.NOT_FOUND, False)
    assert done.state.result is not None
    assert done.state.result["runs"] == [{"run": "irc", "model": "0001", "rows": 0, "served": 0}]
    assert done.state.result["asked"] == 0


def test_rows_behind_the_checkpoint_that_serves_were_not_seen_by_it(town: Workspace, model: ModelFolder) -> None:
    pointer = read_pointer(model.run)
    assert pointer is not None
    write_pointer(model.run, replace(pointer, checkpoint=2))
    state = try_claim(town, lodged(town, LONG).reference).state
    assert state.result is not None
    assert state.result["runs"] == [{"run": "irc", "model": "0001", "rows": 1, "served": 0}]


def test_a_row_of_an_objector_in_what_serves_moves_the_pointer_and_is_an_incident(
    town: Workspace, model: ModelFolder
) -> None:
    """As if whatever serves had not followed: honouring is still to come, so that the row is still there."""
    before = read_pointer(model.run)
    assert before is not None
    with town.register() as register:
        register.objections.lodge([DIETER], channel="letter")
    write_pointer(model.run, before)
    done = try_claim(town, lodged(town, LONG).reference)
    moved = read_pointer(model.run)
    assert moved is not None
    assert moved.checkpoint < before.checkpoint
    assert done.incident
    assert done.state.result is not None
    assert done.state.result["moved"] == 1


def test_words_of_somebody_who_objected_are_known_when_their_rows_are_gone(town: Workspace) -> None:
    with town.register() as register:
        register.objections.lodge([DIETER], channel="letter")
    import_items(town, "forum", [batch([item("7", DIETER, f"Listen. {LONG} That was in spring.")])])
    with reading(town) as session:
        found = find(session, LONG)
        assert (found.rows, found.withheld) == ((), 1)


def test_a_model_that_says_it_again_reproduced_it(town: Workspace, model: ModelFolder) -> None:
    model.run.config.write_bytes(b"{}")
    asked: list[tuple[str, str]] = []

    def ask(run: str, said: Said) -> Asked:
        asked.append((run, said.prompt))
        return Asked(run, 21, reproduced=True, facts={"longest": 19})

    state = try_claim(town, lodged(town, LONG, prompt="What burned?").reference, ask).state
    assert (state.outcome, asked) == (Outcome.REPRODUCED, [("irc", "What burned?")])
    assert state.result is not None
    assert (state.result["asked"], state.result["answers"]) == (21, [{"longest": 19, "run": "irc"}])


@pytest.mark.usefixtures("model")
def test_the_run_that_is_named_is_the_one_that_is_looked_at(town: Workspace) -> None:
    trained(town, [town.keys().pepper.subject_key(account) for account in ORDER], "other")
    state = try_claim(town, lodged(town, LONG, "other").reference).state
    assert state.result is not None
    assert [each["run"] for each in state.result["runs"]] == ["other"]  # type: ignore[union-attr,index,call-overload]
    with pytest.raises(UsageError, match="There is no run 'othr'"):
        lodging.run_called(town.models_path, "othr")
    assert lodging.answering(town.models_path) == ["irc", "other"]


def test_a_damaged_plan_is_one_sentence(town: Workspace, model: ModelFolder) -> None:
    model.plan.write_bytes(b"no plan")
    with pytest.raises(CorpusError, match="can't be read: put it back"):
        try_claim(town, lodged(town, LONG).reference)


def test_what_was_erased_is_not_tested(town: Workspace) -> None:
    state = lodged(town, LONG, account=ANN)
    with town.register() as register:
        register.persons.destroy(register.persons.own(ANN))
    with pytest.raises(UsageError, match="was erased"):
        try_claim(town, state.reference)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (Said(" \n "), "Say what the model said"),
        (Said("x" * 10_001), "There is room for 10,000 characters of what the model said"),
        (Said("x", "y" * (1 << 20)), "There is room for 10,000 characters of what it was asked"),
        (Said("x\x00y"), "There is a control character in what the model said"),
        (Said("x", "\x1b[2J"), "There is a control character in what it was asked"),
        (Said("x", contact="nobody"), "is no mail address"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_sentence(said: Said, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        lodging.require_kept(said)


@pytest.mark.usefixtures("model")
def test_an_answer_goes_by_mail_where_an_address_was_given_and_says_no_words(town: Workspace) -> None:
    state = lodged(town, LONG, contact="zoe@mail.example", language="de")
    with town.register() as register, pytest.raises(RegisterError, match="is not tested yet"):
        answering.answer(register, state.reference, office(town))
    try_claim(town, state.reference)
    with town.register() as register:
        done = answering.answer(register, state.reference, office(town), note="  We look into it.  ")
        assert done.phase is ClaimPhase.ANSWERED
        assert register.claims.note(state.reference) == "We look into it."
        (mail,) = register.mails.claim(10)
        assert (mail.template, mail.language, mail.address) == ("claim", "de", "zoe@mail.example")
        assert mail.params["outcome"] == "held"
        assert "grandmother" not in str(mail.params)
        assert "/de/claim/" in str(mail.params["url"])


def test_without_an_address_no_mail_leaves(town: Workspace) -> None:
    state = lodged(town, LONG)
    try_claim(town, state.reference)
    with town.register() as register:
        answering.answer(register, state.reference, office(town))
        assert register.mails.waiting() == 0
