"""What the demo's model came to, as plain values, and the words for it that both pages share.

Invariants: nothing here needs torch; it says what was measured and nothing more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from demur.training.audit.report import Audit

PROVES: Final = (
    (
        "which rows, configuration, code, tokenizer, base and environment gave these weights, and at which state of the"
        " register: signed, and named by an entry of it;"
    ),
    "to whoever holds the weights: that they are these, or are not;",
    "to whoever objected: by one proof from its tree of people, that they are in the model, or are not;",
    "to an auditor on the premises: that training from the base without them gives these bytes. That was done below.",
)

PROVES_NOT: Final = (
    "that nobody trained another model on the same rows, or kept a copy of the old weights elsewhere;",
    "that nothing of a person is in what others wrote about them in words that nobody recognised;",
    "that what members wrote was theirs to write;",
    "that any use of the model is lawful: the controller assesses that, an authority or a court judges it.",
)

ORDER: Final = (
    "Rows are trained on class by class, from the top, and mixed inside one. A row stands in the class of the last of"
    " its people, so that whoever objects is nowhere before their own class."
)

EVEN: Final = (
    "In this community everybody writes about as much, so that the order has little to save: on average a replay for"
    " one person trains much of the phase again. Where few people write most, as they do in real ones, light writers"
    " stand last and cost little: figures from real logs are in docs/models.md."
)


@dataclass(frozen=True)
class Stand:
    """A class of people, in the order in which it is trained on."""

    least: int
    """Tokens that concern a person of it, at least."""
    most: int
    people: int
    rows: int
    """That stand in it: those of its people, unless somebody of a later class is in them, too."""
    share: float
    """Of the tokens of the personal phase."""


@dataclass(frozen=True)
class Checked:
    """A training from the base, that was held against a certificate."""

    steps: int
    seconds: float


@dataclass(frozen=True)
class Modelled:
    """A run that was trained, objected to, and replayed."""

    run: str
    version: str
    parameters: int
    declared: int
    """Tokens of the base, of texts that nobody wrote."""
    rows: int
    """By people, in the plan."""
    canaries: int
    """Rows of nobody's, each of which stands there once to eight times."""
    accounts: int
    """In the plan."""
    tokens: int
    """Of the personal phase."""
    steps: int
    checkpoints: int
    classes: Sequence[Stand]
    expected: float
    """Share of the phase that a replay for one person trains again, on average over all of them."""
    trained_seconds: float
    account: str
    """Whose person objected."""
    theirs: int
    """Their own rows in the plan."""
    moved_seconds: float
    """From the objection to its receipt; what serves was moved in between."""
    at_once: int
    """The checkpoint that served from then on."""
    begun: int
    """The checkpoint from which the replay trained on."""
    first: int | None
    """The first step that differs; None where none does."""
    again: int
    """Tokens that the replay took."""
    steps_after: int
    """Of the new model."""
    replayed_seconds: float
    serving: str
    """The model that serves in the end."""
    people_before: int
    """In the certificates."""
    people_after: int
    weights_before: str
    """SHA-256, lowercase hexadecimal."""
    weights_after: str
    certificate: str
    """SHA-256 of the signed file, as the register names it."""
    checked: Checked
    audit: Audit
    """Of what serves in the end."""
    audited_seconds: float

    @property
    def cost(self) -> float:
        """Share of the personal phase that was trained again."""
        return self.again / self.tokens if self.tokens else 0.0


def told(model: Modelled) -> Iterator[str]:
    """What was done, a paragraph each: trained, objected, replayed, verified."""
    yield (
        f"The run {model.run} is a language model of {model.parameters:,} weights. Its base and its tokenizer were"
        f" made from {model.declared:,} tokens of sentences that the code puts together and nobody wrote; then came"
        f" {model.tokens:,} tokens of {model.rows:,} rows of {model.version}, that concern {model.accounts:,}"
        f" accounts, and {model.canaries} canaries that nobody wrote, in {model.steps:,} steps with"
        f" {model.checkpoints} checkpoints: {model.trained_seconds:.1f} s."
    )
    yield (
        f"Then the holder of {model.account} objected, who wrote {model.theirs} of these rows and was chosen because"
        " their replay costs about as much as the average one. Until then checkpoint"
        f" {model.steps} served. {model.moved_seconds * 1000:,.0f} ms later the objection was on record, and what"
        f" serves was {_checkpoint(model.at_once)}, which never saw them; nothing went dark."
    )
    differs = "no step of it differs" if model.first is None else f"step {model.first} is the first that differs"
    yield (
        f"The replay compared today's plan with the old one: {differs}, so that it began from checkpoint"
        f" {model.begun} and trained {model.again:,} tokens again, {model.cost:.0%} of the personal phase:"
        f" {model.replayed_seconds:.1f} s. For one person of this community, on average, it is {model.expected:.0%}."
        f" Now {model.serving} serves, at checkpoint {model.steps_after}. The old model is destroyed, but for its"
        " facts and its certificate."
    )


def verified(model: Modelled) -> str:
    """What the check of the certificate found."""
    return (
        f"`demur replay {model.run} --verify` trained all {model.checked.steps:,} steps from the base, without whoever"
        f" objected, in {model.checked.seconds:.1f} s: weights, optimiser, average and log are the certified ones,"
        " byte for byte."
    )


def audited(model: Modelled) -> str:
    """Of what the audit is."""
    people = model.audit.people
    return (
        f"What serves now, {model.audit.name}, was audited in {model.audited_seconds:.1f} s: {people['members']:,} of"
        f" its members against {people['held_out']:,} people whom the run held out. These people were made up by one"
        " generator and write alike, so that the figures show how an audit reads, and nothing of real ones."
    )


def certified(model: Modelled) -> Iterator[tuple[str, str]]:
    """The certificate's figures: name and value."""
    yield "certificate", model.certificate
    yield "weights before", model.weights_before
    yield "weights after", model.weights_after
    yield "accounts before, after", f"{model.people_before:,}, {model.people_after:,}"


def wrote(stand: Stand) -> str:
    """How much a person of a class wrote."""
    return f"{stand.least:,} to {stand.most:,}" if stand.least < stand.most else f"{stand.most:,}"


def commands(model: Modelled) -> Iterator[tuple[str, str]]:
    """What to try with it."""
    yield "demur runs", "the run, and what serves"
    yield f'demur generate {model.run} "The "', "how what serves goes on: sentences of nobody's, as it is small"
    yield f"demur replay {model.run} --spot 2 --nonce WORDS", "two stretches that your own words pick, trained again"


def _checkpoint(step: int) -> str:
    return f"checkpoint {step}" if step else "the base, checkpoint 0"
