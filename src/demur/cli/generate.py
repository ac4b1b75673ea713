"""``demur generate``: how a model of a run continues a text."""

import sys
from typing import TYPE_CHECKING

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, note
from demur.errors import UsageError

if TYPE_CHECKING:
    from demur.training.generating import Generation

_TOKENS = 64
_MOST_BYTES = 1 << 20


@click.command
@click.argument("run")
@click.argument("prompt")
@click.option(
    "--tokens", type=click.IntRange(1), default=_TOKENS, show_default=True, help="How many are drawn at most."
)
@click.option(
    "--temperature", type=click.FloatRange(0, 2), default=1.0, show_default=True, help="0: the likeliest each."
)
@click.option(
    "--top-p",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    help="Draw only from the likeliest that have this share together.",
)
@click.option("--seed", type=int, help="The same text again, in the same environment.")
@click.option("--no-guard", is_flag=True, help="Print it as it is drawn, with whoever it names or copies.")
@shared
def generate(  # noqa: PLR0913  # each is an option
    invocation: Invocation,
    run: str,
    prompt: str,
    tokens: int,
    temperature: float,
    top_p: float,
    seed: int | None,
    *,
    no_guard: bool,
) -> None:
    """Continue PROMPT by what serves of RUN; `-` reads it from the standard input.

    What answers has seen no row of anybody who has objected. A guard reads what it says: names of withheld people are
    masked, and the text ends before words that they wrote. That is a mitigation: what is paraphrased passes.
    """
    workspace = invocation.workspace
    if prompt == "-":
        prompt = _read()
    from demur.extras import need  # noqa: PLC0415  # as below
    from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where a model answers

    need("`demur generate`", "train", *NEEDS)
    from demur.training.generating import Sampling  # noqa: PLC0415  # the same
    from demur.training.serving import serving  # noqa: PLC0415  # the same

    with serving(workspace, run, guarded=not no_guard) as model:
        loaded, generation, text = model.complete(prompt, Sampling(tokens, temperature, top_p, seed))
    if told := _guarded(generation):
        note(told)
    said = {"model": loaded.name, "finish": generation.finish, "tokens": generation.tokens}
    emit(text, {"text": text, **said, "guard": not no_guard, "masked": generation.masked})


def _guarded(generation: "Generation") -> str:
    """What the guard did; "" where it found nothing."""
    if generation.masked is None:
        return "Without the guard: the text may name withheld people, or hold what they wrote."
    names = f"{count(generation.masked, 'name')} of withheld people masked" if generation.masked else ""
    copy = "the text ends before words that somebody withheld wrote" if generation.finish == "content_filter" else ""
    told = "; ".join(filter(None, (names, copy)))
    return f"The guard: {told}." if told else ""


def _read() -> str:
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UsageError("The prompt is longer than 1 MB: no model reads that much.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError("The prompt is no text in UTF-8: convert it first.") from None
