"""A model that demur did not train: only asked, and refused in one sentence where it can't be."""

import json
from pathlib import Path
from shutil import copy

import learnt
import pytest
from calling import Demur
from trainable import Community

from demur.errors import UsageError
from demur.training.audit.black_box import (
    NOT_RUN,
    Asked,
    Local,
    Words,
    asked,
    checked,
    extracted_by_sampling,
    open_folder,
)
from demur.training.audit.figure import Finding, NotRun
from demur.training.model import keep
from demur.training.tokenizer import Tokenizer

pytest.importorskip("torch")

SECRET = "the lamp behind the blue door is worth more than the whole river of glass"


class Parrot:
    """Goes on with one text that it knows; says nothing new else."""

    def complete(self, prompt: str, /) -> str:
        return SECRET[len(prompt) :] if SECRET.startswith(prompt) else "rain"


@pytest.fixture(scope="module")
def folder(community: Community, duplicated: learnt.Learnt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network as somebody else would hand it out."""
    made = tmp_path_factory.mktemp("theirs")
    keep(duplicated.network, made, weights=True)
    for path in community.run().model.run.tokenizer.iterdir():
        copy(path, made)
    return made


def test_what_it_knows_comes_out() -> None:
    found = asked(
        Asked(Parrot()),
        [[SECRET], ["too short"]],
        [["a text of that length which nobody wrote, and no model has ever seen"]],
    )
    first, names, *rest = found
    assert isinstance(first, Finding)
    told = learnt.figures(first)
    assert (told["members_n10"].value, told["members_n10"].n, told["held_n10"].value) == (1.0, 1, 0.0)
    assert SECRET[:20] not in json.dumps(first.json())
    assert isinstance(names, NotRun)
    assert rest == list(NOT_RUN)
    assert all(isinstance(each, NotRun) and each.why for each in rest)


def test_without_long_texts_it_is_not_run() -> None:
    found = extracted_by_sampling(Asked(Parrot()), [["short"], ["\x00 " + SECRET]], [])
    assert found == NotRun(
        "extraction-by-sampling", "no member has a text of 13 words that can be asked: ask for shorter passages"
    )


def test_a_folder_is_asked(folder: Path, duplicated: learnt.Learnt) -> None:
    local = open_folder(folder)
    assert local.context == 48
    texts = local.texts("the lamp", 3, 4)
    assert len(texts) == 3
    assert texts == open_folder(folder).texts("the lamp", 3, 4)
    words = Words(prefix=2, suffix=1, queries=2)
    theirs, held = (learnt.texts(duplicated.tokenizer, each) for each in (duplicated.members, duplicated.held))
    assert isinstance(extracted_by_sampling(local, theirs, held, words), Finding | NotRun)
    with pytest.raises(UsageError, match="reads 48 together"):
        local.texts("the lamp " * 60, 1, 4)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("x" * 1_000_000, r"has 1,000,000 bytes: give at most 65,536"),
        ("a bell \x07 rings", r"control character \(U\+0007, at 7\)"),
        ("\x7f", "control character"),
        (" \n", "empty"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_can_not_be_asked(prompt: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        checked(prompt)
    with pytest.raises(UsageError):
        Asked(Parrot()).texts(prompt, 1, 1)
    assert checked("two\n\tlines, ünder") == "two\n\tlines, ünder"


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no config\.json: give the folder of a decoder"):
        open_folder(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llamma"}')
    (tmp_path / "model.safetensors").write_bytes(b"not one")
    with pytest.raises(UsageError, match="describes no decoder"):
        open_folder(tmp_path)


def changed(folder: Path, to: Path, **settings: int) -> Path:
    for path in folder.iterdir():
        copy(path, to)
    said = json.loads((to / "config.json").read_bytes())
    (to / "config.json").write_text(json.dumps(said | settings))
    return to


def test_a_checkpoint_of_another_configuration(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"of another network than its config\.json: .*embed_tokens.* is 315 x 32"):
        open_folder(changed(folder, tmp_path, vocab_size=400))
    (tmp_path / "model.safetensors").write_bytes(b"not one")
    with pytest.raises(UsageError, match=r"The weights .* can't be read"):
        open_folder(tmp_path)


def test_a_tokenizer_of_another_network(folder: Path, tmp_path: Path) -> None:
    changed(folder, tmp_path)
    said = json.loads((tmp_path / "tokenizer.json").read_bytes())
    extra = dict(said["added_tokens"][-1], id=315, content="<more>")
    (tmp_path / "tokenizer.json").write_text(json.dumps(said | {"added_tokens": [*said["added_tokens"], extra]}))
    assert Tokenizer.open(tmp_path, 48).size == 316
    with pytest.raises(UsageError, match="has 316 entries and the network 315"):
        open_folder(tmp_path)
    assert isinstance(open_folder(folder), Local)


# By the command


def test_the_command_asks_a_folder_and_keeps_nothing(community: Community, folder: Path, demur: Demur) -> None:
    with community.workspace.register() as register:
        before = register.log.head()
    asked = demur("audit", "model", str(folder), "--version", "v1", "--persons", "6", "-w", community.workspace.root)
    assert asked.code == 0, asked.err
    assert "extraction-by-sampling" in asked.out
    assert "goes on no record" in asked.out
    with community.workspace.register() as register:
        assert register.log.head() == before


def test_the_command_on_what_is_no_model(community: Community, tmp_path: Path, demur: Demur) -> None:
    told = demur("audit", "model", str(tmp_path), "--version", "v1", "-w", community.workspace.root)
    assert (told.code, "config.json" in told.err) == (2, True)
