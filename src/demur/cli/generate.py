"""``demur generate``: how a model of a run continues a text."""

import sys

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import emit
from demur.errors import UsageError

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
@shared
def generate(  # each is an option
    invocation: Invocation,
    run: str,
    prompt: str,
    tokens: int,
    temperature: float,
    top_p: float,
    seed: int | None,
) -> None:
    """Continue PROMPT by what serves of RUN; `-` reads it from the standard input.

    What answers has seen no row of anybody who has objected.
    """
    workspace = invocation.workspace
    if prompt == "-":
        prompt = _read()
    from demur.extras import need  # noqa: PLC0415  # as below
    from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where a model answers

    need("`demur generate`", "train", *NEEDS)
    from demur.training.generating import Sampling  # noqa: PLC0415  # the same
    from demur.training.serving import serving  # noqa: PLC0415  # the same

    with serving(workspace, run) as model:
        loaded, generation, text = model.complete(prompt, Sampling(tokens, temperature, top_p, seed))
    emit(text, {"text": text, "model": loaded.name, "finish": generation.finish, "tokens": generation.tokens})


def _read() -> str:
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UsageError("The prompt is longer than 1 MB: no model reads that much.")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError("The prompt is no text in UTF-8: convert it first.") from None
