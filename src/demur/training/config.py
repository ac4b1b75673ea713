"""The configuration of a run: everything besides base, rows and environment that decides about the weights.

Invariants: it is frozen, and equal configurations have equal bytes (RFC 8785, fractions as their shortest exact text),
whose SHA-256 names them. What could not be replayed is refused here: a random number that is not keyed by its place in
the plan, a reduced precision, a compiled model.
"""

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Self

from demur.canonical import JSON, canonical_json
from demur.errors import UsageError, suggestion

_MOST_BYTES: Final = 1 << 20
_LARGEST: Final = 2**31 - 1


@dataclass(frozen=True)
class Hazard:
    """One line of the hazard table: how likely it is that somebody objects."""

    tokens: int = 0
    """Of people whose rows have at least so many tokens; the last line that fits counts."""
    rate: float = 1.0
    """Objections a person and year, or any other unit: only ratios count."""

    def json(self) -> dict[str, JSON]:
        """As JSON."""
        return {"tokens": self.tokens, "rate": repr(self.rate)}


@dataclass(frozen=True)
class Config:
    """Everything that is chosen for a run."""

    # the model; a base that is a checkpoint or another run brings its own
    layers: int = 4
    """Blocks of the decoder."""
    width: int = 256
    """Size of a hidden state."""
    inner: int = 704
    """Size of the hidden layer of each block's feed-forward part."""
    heads: int = 4
    """Attention heads of each block; they divide the width into parts of an even size."""
    vocabulary: int = 4096
    """Entries of the tokenizer at most, when it is fitted on declared data."""
    context: int = 256
    """Tokens of a row at most; what is longer is cut."""
    seed: int = 0
    """Of the first weights, and of adapters."""
    adapters: int = 0
    """Rank of the low-rank adapters (LoRA) that are trained instead of all weights; 0 trains all."""
    adapters_alpha: float = 16.0
    """What adapters add counts so much over their rank."""
    dropout: float = 0.0
    """Share of activations that are dropped, in attention and adapters."""
    keyed_dropout: bool = False
    """Whether dropout is drawn by the run's key and the place in the plan; without it there may be none."""

    # a step
    step_tokens: int = 8192
    """B: a step closes when it holds so many tokens; the loss of a step is its sum over this constant."""
    micro_tokens: int = 4096
    """Tokens, padding included, that go through the model at once; a longer row goes alone."""
    passes: int = 1
    """E: updates on each step's rows before the next step."""
    rate: float = 1e-3
    """Learning rate after the warm-up, constant."""
    warmup: int = 20
    """Steps in which the rate grows to its full size, in proportion."""
    decay: float = 0.0
    """Weight decay of AdamW, per update, times the rate."""
    beta1: float = 0.9
    """Decay of the first moment, per update."""
    beta2: float = 0.95
    """Decay of the second moment, per update."""
    epsilon: float = 1e-8
    """What AdamW adds to the root of the second moment."""
    clip: float = 1.0
    """Norm of the gradient at most; 0 does not clip."""
    average: float = 0.99
    """Decay of the average of the weights that is served, per update; smaller in the first updates."""
    base_passes: int = 1
    """How often declared data are read for a base."""

    # the order
    hazard: tuple[Hazard, ...] = (Hazard(),)
    """How likely people object, by how much they wrote; alike unless said otherwise."""
    class_share: float = 0.1
    """Share of all tokens above which a class of people is split."""
    held: float = 0.02
    """Share of people who are kept out altogether, by a keyed hash, so that audits have somebody to compare with."""
    mask_mentions: bool = True
    """Whether what markup shows to be a mention is one mask, for everybody alike."""
    checkpoints: int = 32
    """Checkpoints besides the base and the end, at most."""
    canaries: int = 0
    """Rows that nobody wrote, planted so that audits can measure what is kept of a row."""

    # differential privacy of the person (training.private); without noise none of this counts
    noise: float = 0.0
    """Standard deviation of the noise, over `person_norm`; 0: none, and rows stand in the order above."""
    person_norm: float = 1.0
    """Norm of what one person adds to a step's gradient, at most."""
    person_tokens: int = 2048
    """Tokens of one person, at most; which of their rows count is drawn by a keyed hash."""
    fixed_steps: int = 100
    """Steps, fixed in advance: a keyed hash puts each person into one of them, and nobody moves anybody."""
    delta: float = 1e-6
    """For which epsilon is said."""

    # a memory instead of training (training.remembering); without it none of this counts
    memory: bool = False
    """Whether rows go into a store beside the base, and train nothing."""
    neighbours: int = 32
    """Places of the store that are asked at each token, at most."""
    ngram_share: float = 0.0
    """Share of the n-grams of the store in what is said; with the next two, 0: fitted on the base's declared data."""
    nearest_share: float = 0.0
    """Share of the neighbours; the base has the rest."""
    nearest_scale: float = 0.0
    """What squared distances of neighbours are divided by, before they count as exponents."""

    # cohorts of people, each with adapters of its own (training.cohorts); without them none of this counts
    cohorts: int = 0
    """S: into how many cohorts a keyed hash deals people; 0: all rows train one model."""
    cohort: int = 0
    """Which of them this run is of, from 1; demur says it, when it begins a run for each."""
    ensemble: bool = False
    """Whether the mean of the cohorts' probabilities answers; else one model with the mean of their adapters does."""

    # what else has to be the same for the same bytes
    device: str = "cpu"
    """cpu or cuda."""
    threads: int = 2
    """Threads of one operation: another number gives other weights."""
    dtype: str = "float32"
    """Of weights and arithmetic; no other can be replayed."""
    attention: str = "eager"
    """eager or sdpa: how attention is computed."""
    compile: bool = False
    """Whether the model is compiled; what a compiler chooses can't be pinned."""

    def __post_init__(self) -> None:
        _check(self)

    def json(self) -> dict[str, JSON]:
        """As JSON, fractions as text; without what came later and is not chosen, so that digests stay what they are."""
        values = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        return {
            name: _plain(value) for name, (value, default) in values.items() if name not in _LATER or value != default
        }

    def to_bytes(self) -> bytes:
        """The content of ``config.json``."""
        return canonical_json(self.json())

    @property
    def plan_tokens(self) -> int:
        """B for the plan: where a run remembers, all rows are one step."""
        return _LARGEST if self.memory else self.step_tokens

    @property
    def digest(self) -> bytes:
        """SHA-256 of :meth:`to_bytes`."""
        return hashlib.sha256(self.to_bytes()).digest()

    @classmethod
    def from_mapping(cls, said: Mapping[str, Any], where: str) -> Self:
        """A configuration of what a file says; what it leaves out has its default.

        Args:
            said: the file's content.
            where: the file, for errors.

        Raises:
            UsageError: naming the first key that is unknown or does not fit.
        """
        known = {each.name: each for each in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in said.items():
            if name not in known:
                raise UsageError(f"{where} has an unknown key `{name}`: {suggestion(name, known)}")
            if name == "hazard":
                values[name] = _hazards(value, where)
            else:
                values[name] = _typed(value, type(known[name].default), name, where)
        try:
            return cls(**values)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None


def read_config(path: Path) -> Config:
    """The configuration in a TOML or JSON file.

    Raises:
        UsageError: when it can't be read, is neither, or does not hold together.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError as error:
        raise UsageError(f"The configuration {path} can't be read ({error.strerror}): check the path.") from None
    try:
        said = json.loads(data) if path.suffix == ".json" else tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        kind = "JSON" if path.suffix == ".json" else "TOML"
        raise UsageError(f"The configuration {path} is no {kind}: correct it.") from None
    if not isinstance(said, dict):
        raise UsageError(f"The configuration {path} is no object of keys and values: correct it.")
    return Config.from_mapping(said, str(path))


_MOST_FIXED: Final = 1 << 15
"""Steps that have a number as a part of a class (training.order)."""
_AT_LEAST: Final[Mapping[str, float]] = {
    **dict.fromkeys(("layers", "inner", "heads", "step_tokens", "micro_tokens", "passes", "threads", "base_passes"), 1),
    **dict.fromkeys(("fixed_steps", "person_tokens"), 1),
    **dict.fromkeys(("seed", "adapters", "warmup", "decay", "clip", "dropout", "held", "average", "beta1", "beta2"), 0),
    **dict.fromkeys(("ngram_share", "nearest_share"), 0),
    "width": 2,
    "vocabulary": 260,
    "context": 4,
    "checkpoints": 0,
    "canaries": 0,
    "cohorts": 0,
    "cohort": 0,
    "noise": 0,
    "adapters_alpha": 0,
    "neighbours": 1,
    "nearest_scale": 0,
}
"""The smallest value of each number; a tokenizer has 256 entries for bytes and a few of its own."""

_LATER: Final = frozenset(
    {"canaries", "noise", "person_norm", "person_tokens", "fixed_steps", "delta"}
    | {"memory", "neighbours", "ngram_share", "nearest_share", "nearest_scale", "cohorts", "cohort", "ensemble"}
)
"""Fields that configurations did not have from the first release on: said where they are not the default."""
CANARY_TOKENS: Final = 32
"""Of a canary at most; fewer where the context is shorter."""
_MOST_CANARIES: Final = 1 << 16
_MOST_COHORTS: Final = 64
_BELOW_ONE: Final = ("dropout", "held", "average", "beta1", "beta2", "delta", "ngram_share", "nearest_share")
_ABOVE_NOTHING: Final = ("rate", "epsilon", "class_share", "person_norm", "delta")
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {"device": ("cpu", "cuda"), "attention": ("eager", "sdpa")}


def _check(config: Config) -> None:
    """Refuse what does not hold together or can't be replayed.

    Raises:
        UsageError: in one sentence.
    """
    _check_values(config)
    if config.width % (2 * config.heads):
        raise UsageError(f"`width` is {config.width}: choose a multiple of twice `heads` ({2 * config.heads}).")
    if config.dropout and not config.keyed_dropout:
        raise UsageError("`dropout` can't be replayed as it is: set `keyed_dropout = true`, or leave it at 0.")
    if config.noise:
        _check_private(config)
    if config.memory:
        _check_memory(config)
    _check_cohorts(config)
    if config.dtype != "float32":
        raise UsageError(f'`dtype` is {config.dtype!r}, which can\'t be replayed to the byte: use "float32".')
    if config.compile:
        raise UsageError("`compile` can't be replayed to the byte, as a compiler's choices can't be pinned: leave it.")
    starts = [each.tokens for each in config.hazard]
    rising = all(one < other for one, other in pairwise(starts))
    if not starts or starts[0] != 0 or not rising or not all(0 < each.rate < math.inf for each in config.hazard):
        raise UsageError("`hazard` needs a first line from 0 tokens on, lines in rising order, and rates above 0.")


def _check_private(config: Config) -> None:
    """Refuse what would let one person count more than once, or move another.

    Raises:
        UsageError: in one sentence.
    """
    if config.passes != 1 or config.dropout:
        raise UsageError("With `noise`, each person counts once: leave `passes` at 1 and `dropout` at 0.")
    if config.canaries and config.person_tokens < min(CANARY_TOKENS, config.context):
        raise UsageError(
            f"`person_tokens` is {config.person_tokens}, and a canary has {min(CANARY_TOKENS, config.context)} tokens, "
            "so that none would count: raise it, or leave out `canaries`."
        )
    if config.fixed_steps >= _MOST_FIXED:
        raise UsageError(f"`fixed_steps` is {config.fixed_steps}: give less than {_MOST_FIXED:,}.")


def _check_memory(config: Config) -> None:
    """Refuse what trains something where nothing is trained, and shares that leave the base nothing.

    Raises:
        UsageError: in one sentence.
    """
    if config.noise or config.adapters:
        raise UsageError("With `memory`, nothing is trained on anybody's rows: leave out `noise` and `adapters`.")
    if config.ngram_share + config.nearest_share >= 1:
        raise UsageError(
            "`ngram_share` and `nearest_share` leave the base nothing: give shares that are below 1 together."
        )
    if bool(config.nearest_share) > bool(config.nearest_scale):
        raise UsageError("`nearest_share` needs a `nearest_scale` above 0: give both, or neither.")


def _check_cohorts(config: Config) -> None:
    """Refuse cohorts of what can't be put together again.

    Raises:
        UsageError: in one sentence.
    """
    if config.cohorts > _MOST_COHORTS:
        raise UsageError(f"`cohorts` is {config.cohorts}: give at most {_MOST_COHORTS}.")
    if config.cohorts and (config.noise or not config.adapters):
        raise UsageError("With `cohorts`, each has adapters of its own: set `adapters`, and leave out `noise`.")
    if config.cohort > config.cohorts or (config.ensemble and not config.cohorts):
        raise UsageError("`cohort` and `ensemble` are about one of several cohorts: set `cohorts`, or leave them out.")


def _check_values(config: Config) -> None:
    """Refuse a value that no field of its name can have.

    Raises:
        UsageError: in one sentence.
    """
    for name, least in _AT_LEAST.items():
        if not least <= getattr(config, name) <= _LARGEST:
            raise UsageError(f"`{name}` is {getattr(config, name)}: give at least {least:g}, and less than 2^31.")
    if config.canaries > _MOST_CANARIES:
        raise UsageError(f"`canaries` is {config.canaries}: give at most {_MOST_CANARIES:,}.")
    for name in _BELOW_ONE:
        if getattr(config, name) >= 1:
            raise UsageError(f"`{name}` is {getattr(config, name)}: give a share below 1.")
    for name in _ABOVE_NOTHING:
        if not 0 < getattr(config, name) < math.inf:
            raise UsageError(f"`{name}` is {getattr(config, name)}: give a number above 0.")
    for name, choices in _CHOICES.items():
        if getattr(config, name) not in choices:
            raise UsageError(f"`{name}` is {getattr(config, name)!r}: choose {' or '.join(choices)}.")


def _plain(value: object) -> JSON:
    if isinstance(value, tuple):
        return [each.json() for each in value]
    assert isinstance(value, bool | int | float | str)
    return repr(value) if isinstance(value, float) else value


def _typed(value: object, kind: type, name: str, where: str) -> object:
    """A value of a file as its field has it; a fraction may be written as text, as ``config.json`` has it."""
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            value = None
    if type(value) is not kind:
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
        raise UsageError(f"{where}: `{name}` has to be {words[kind]}.")
    return value


def _hazards(value: object, where: str) -> tuple[Hazard, ...]:
    said = value if isinstance(value, list) else [None]
    found = []
    for line in said:
        if not isinstance(line, dict) or not set(line) <= {"tokens", "rate"}:
            raise UsageError(f"{where}: `hazard` has to be a list of lines such as {{tokens = 0, rate = 1.0}}.")
        tokens = _typed(line.get("tokens", 0), int, "hazard.tokens", where)
        rate = _typed(line.get("rate", 1.0), float, "hazard.rate", where)
        assert isinstance(tokens, int)
        assert isinstance(rate, float)
        found.append(Hazard(tokens, rate))
    return tuple(found)
