"""A model that demur did not train: what an attacker can do who may only ask it.

It is anything that goes on with a text: an object with ``complete(prompt)``, or the local folder of a decoder in
Hugging Face's format. Rows of people are still the workspace's: who is audited are people whose rows the model may
have been trained on, and people whose rows it can't have seen.

Invariants: nothing is fetched and no code of a folder is run; what can't be asked is refused in one sentence before it
is asked; attacks that need more than outputs are listed as not run, with the reason.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from demur.errors import UsageError
from demur.training.audit.continuing import LIKELIEST, Continuation, Outputs, Scheme
from demur.training.audit.figure import Figure, Finding, NotRun
from demur.training.audit.intervals import share
from demur.training.audit.naming import ASKING, Asking, Names, names_said
from demur.training.config import Config
from demur.training.environment import load
from demur.training.model import of_checkpoint
from demur.training.tokenizer import Tokenizer

NAME: Final = "extraction-by-sampling"
Texts = Sequence[Sequence[str]]
"""The texts of each person, as they would be trained on."""

MOST_BYTES: Final = 1 << 16
"""Of a prompt, in UTF-8."""
_SETTINGS: Final = "config.json"
_WEIGHTS: Final = "model.safetensors"
_BLANKS: Final = frozenset("\t\n\r")
_ASKED_ONLY: Final = "it needs more than outputs, and this model is only asked"
_OWN_ONLY: Final = "it needs a run that demur trained"
NOT_RUN: Final = (
    *(NotRun(attack, _ASKED_ONLY) for attack in ("loss", "reference", "ez-mia", "rmia", "quantised")),
    *(NotRun(attack, _ASKED_ONLY) for attack in ("extraction", "near-verbatim", "names-ranked")),
    *(NotRun(attack, _OWN_ONLY) for attack in ("position", "objectors", "version-diff", "canaries")),
)
"""What is not tried on a model that demur did not train."""


class Completes(Protocol):
    """What somebody else's model has to have: one text behind a prompt, another each time."""

    def complete(self, prompt: str, /) -> str:
        """What it says behind a prompt."""


@dataclass(frozen=True)
class Asked:
    """A model behind an interface of its own, asked once for each text."""

    model: Completes = field(repr=False)

    def texts(self, prompt: str, number: int, tokens: int) -> Sequence[str]:  # noqa: ARG002  # its own length
        """As :class:`Outputs` has it; how long a text is follows from the model.

        Raises:
            UsageError: when the prompt can't be asked.
        """
        asked = checked(prompt)
        return [self.model.complete(asked) for _ in range(number)]


@dataclass(frozen=True)
class Local:
    """A decoder in a folder."""

    inner: Continuation
    context: int
    """Tokens that it reads together."""

    def texts(self, prompt: str, number: int, tokens: int) -> Sequence[str]:
        """As :class:`Outputs` has it; texts of one prompt differ, and the same are drawn each time.

        Raises:
            UsageError: when the prompt can't be asked, or leaves no room.
        """
        ids = self.inner.tokenizer.inner.encode(checked(prompt), add_special_tokens=False).ids
        if len(ids) + 1 + tokens > self.context:
            raise UsageError(
                f"The prompt has {len(ids):,} tokens and {tokens:,} more are asked for, but this model reads "
                f"{self.context:,} together: shorten the prompt, or ask for fewer."
            )
        return self.inner.texts(prompt, number, tokens)


def open_folder(folder: Path, scheme: Scheme = LIKELIEST, seed: int = 0) -> Local:
    """The decoder in a local folder in Hugging Face's format.

    Args:
        folder: with ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
        scheme: how its texts are drawn.
        seed: of the draws.

    Raises:
        UsageError: when it is no such folder, or its parts don't belong together.
    """
    if not (folder / _SETTINGS).is_file():
        raise UsageError(f"The folder {folder} holds no {_SETTINGS}: give the folder of a decoder, with its tokenizer.")
    config = Config(threads=int(import_module("torch").get_num_threads()))
    _require_fitting(folder, config)
    network = of_checkpoint(folder, config).eval()
    context = int(getattr(network.config, "max_position_embeddings", config.context))
    tokenizer = Tokenizer.open(folder, context)
    known = int(network.get_input_embeddings().weight.shape[0])
    if tokenizer.size > known:
        raise UsageError(
            f"The tokenizer in {folder} has {tokenizer.size:,} entries and the network {known:,}: give the tokenizer "
            "that the network was trained with."
        )
    return Local(Continuation(network, tokenizer, scheme, seed), context)


def checked(prompt: str) -> str:
    """A prompt that may be asked: itself.

    Raises:
        UsageError: when it is empty, too long, or holds what no text has.
    """
    if not prompt.strip():
        raise UsageError("The prompt is empty: write some words.")
    try:
        size = len(prompt.encode())
    except UnicodeEncodeError:
        raise UsageError("The prompt holds half of a surrogate pair, which is no text: type it again.") from None
    if size > MOST_BYTES:
        raise UsageError(f"The prompt has {size:,} bytes: give at most {MOST_BYTES:,}.")
    for at, character in enumerate(prompt):
        if unicodedata.category(character) == "Cc" and character not in _BLANKS:
            raise UsageError(f"The prompt holds a control character (U+{ord(character):04X}, at {at}): leave it out.")
    return prompt


@dataclass(frozen=True)
class Words:
    """Where texts are cut, in words, and how often is asked."""

    prefix: int = 8
    """Words that the attacker has."""
    suffix: int = 5
    """Words that the model would have to add."""
    each: int = 2
    """Texts of a person at most; the first that are long enough."""
    queries: int = 10
    """Texts that are drawn for each."""


WORDS: Final = Words()


def asked(
    outputs: Outputs,
    members: Texts,
    held: Texts,
    *,
    names: tuple[Names, Names] = ((), ()),
    words: Words = WORDS,
    asking: Asking = ASKING,
) -> list[Finding | NotRun]:
    """All that can be tried on a model that is only asked; what is not tried follows, with the reason.

    Args:
        outputs: the model.
        members: texts of people that it may have been trained on.
        held: texts of people that it can't have seen.
        names: what the people of both are called.
        words: how texts are cut.
        asking: how names are asked for.
    """
    return [extracted_by_sampling(outputs, members, held, words), names_said(outputs, *names, asking), *NOT_RUN]


def extracted_by_sampling(outputs: Outputs, members: Texts, held: Texts, words: Words = WORDS) -> Finding | NotRun:
    """How many people there are of whom a model says the rest of a text, in a few texts that are drawn.

    Args:
        outputs: the model.
        members: texts of people that it may have been trained on.
        held: texts of people that it can't have seen.
        words: how texts are cut.
    """
    passages = {"members": _passages(members, words), "held": _passages(held, words)}
    if not passages["members"]:
        length = words.prefix + words.suffix
        return NotRun(NAME, f"no member has a text of {length} words that can be asked: ask for shorter passages")
    figures = [_figure(name, outputs, found, words) for name, found in passages.items()]
    return Finding(
        attack=NAME,
        asks="Of how many people does the model say the rest of a text, word for word, when it is asked a few times?",
        stands_for="exfiltration",
        needs="outputs",
        figures=figures,
        said=(
            f"{words.prefix} words given, {words.suffix} wanted, {words.queries} texts drawn for each of up to "
            f"{words.each} texts of a person. What comes out once in thousands of queries is not found this way; "
            "people held out are what common words give without memory."
        ),
    )


_Passage = tuple[str, list[str]]
"""What is asked, and the words that would have to follow."""


def _passages(people: Texts, words: Words) -> list[list[_Passage]]:
    """Of everybody who has one."""
    found = []
    for texts in people:
        cut = (text.split() for text in texts if len(text) <= MOST_BYTES)
        long = [each for each in cut if len(each) >= words.prefix + words.suffix]
        theirs = [(" ".join(each[: words.prefix]), each[words.prefix :][: words.suffix]) for each in long]
        found.append([each for each in theirs if _may_be_asked(each[0])][: words.each])
    return [theirs for theirs in found if theirs]


def _may_be_asked(prompt: str) -> bool:
    try:
        return bool(checked(prompt))
    except UsageError:
        return False


def _figure(name: str, outputs: Outputs, people: Sequence[Sequence[_Passage]], words: Words) -> Figure:
    hit = np.array([any(_comes_out(outputs, each, words) for each in theirs) for theirs in people], bool)
    value, interval = share(hit)
    note = "" if people else "nobody has a text that is long enough"
    return Figure(f"{name}_n{words.queries}", value, "share", len(hit), "persons", interval, note)


_TOKENS_A_WORD: Final = 6
"""Asked for, so that the words fit."""


def _comes_out(outputs: Outputs, passage: _Passage, words: Words) -> bool:
    prompt, wanted = passage
    texts = outputs.texts(prompt, words.queries, _TOKENS_A_WORD * words.suffix)
    return any(text.split()[: len(wanted)] == wanted for text in texts)


def _require_fitting(folder: Path, config: Config) -> None:
    """Compare the shapes of a checkpoint's weights with those that its configuration asks for.

    Raises:
        UsageError: when they are of another network.
    """
    if not (folder / _WEIGHTS).is_file():  # several files, or none: whoever loads them says so
        return
    wanted = _shapes_wanted(folder, config)
    found = _shapes_there(folder)
    other = sorted(name for name, shape in found.items() if name in wanted and shape != wanted[name])
    if other:
        there, asked_for = (" x ".join(f"{size:,}" for size in shapes[other[0]]) for shapes in (found, wanted))
        raise UsageError(
            f"The weights in {folder} are of another network than its {_SETTINGS}: {other[0]} is {there} and should be "
            f"{asked_for}; give the configuration and the tokenizer that belong to the weights."
        )


def _shapes_wanted(folder: Path, config: Config) -> dict[str, tuple[int, ...]]:
    """Of a network that ``config.json`` describes, without making it."""
    torch, library = load(config), import_module("transformers")
    try:
        settings = library.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            network: Any = library.AutoModelForCausalLM.from_config(settings, trust_remote_code=False)
    except Exception as error:  # noqa: BLE001  # the library raises no narrower one
        raise UsageError(
            f"{folder / _SETTINGS} describes no decoder that can be read ({type(error).__name__}): give another folder."
        ) from None
    return {name: tuple(each.shape) for name, each in network.state_dict().items()}


def _shapes_there(folder: Path) -> dict[str, tuple[int, ...]]:
    """Of the weights, by their file's header alone."""
    library = import_module("safetensors")
    try:
        with library.safe_open(folder / _WEIGHTS, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118  # no mapping
    except Exception as error:  # noqa: BLE001  # the library raises no narrower one
        raise UsageError(
            f"The weights {folder / _WEIGHTS} can't be read ({type(error).__name__}): copy them again."
        ) from None
