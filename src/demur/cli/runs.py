"""``demur runs``, ``card``, ``release`` and ``replay``: models, what is said of one, and what becomes of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, progress, table
from demur.corpus.session import reading
from demur.errors import UsageError
from demur.extras import need
from demur.files import write_durably
from demur.runs.folder import answering
from demur.runs.listing import Listed, listed

if TYPE_CHECKING:
    from demur.training.checking import Checked
    from demur.training.replay import Replayed


@click.command
@shared
def runs(invocation: Invocation) -> None:
    """List the runs: what each was trained on, what serves, when that was audited, how it stands, and what is to do."""
    with invocation.workspace.register() as register:
        found = listed(invocation.workspace.models_path, register)
    emit(lambda: _lines(found), {"runs": found})


@click.command
@click.argument("name", metavar="RUN")
@click.option("--to", required=True, type=click.Path(path_type=Path), help="A new folder, made by the command.")
@shared
def release(invocation: Invocation, name: str, to: Path) -> None:
    """Write what serves of RUN to a new folder, as `transformers` reads one: weights, settings and tokenizer.

    It has seen nobody who has objected so far. What happens to the copy afterwards demur can't follow: the register
    notes that it was made, and `demur recall VERSION` lists it for whoever has to be told.
    """
    need("`demur release`", "train", "torch", "transformers", "tokenizers", "safetensors")
    from demur.training.exporting import export  # noqa: PLC0415  # it stands on torch

    done = export(invocation.workspace, name, to)
    said = f"Wrote {done.model} to {done.to}, on record as weights that left; it follows no later objection."
    emit(said, {"model": done.model, "weights": done.weights, "to": done.to})


@click.command
@click.argument("name", metavar="RUN")
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to write it, such as README.md (else it is printed).",
)
@shared
def card(invocation: Invocation, name: str, to: Path | None) -> None:
    """Write the model card of RUN, as the Hugging Face Hub reads it, with the section on user data.

    It says what the run was trained on, which objections were in force and what was done for each group, the
    certificates and what they don't show, and the figures of its audit. It names nobody; counts of 1 to 9 are hidden.
    Of a family of cohorts it describes what answers by its name, with the certificates of each cohort.
    """
    from demur.versions.model_card import model_card  # noqa: PLC0415  # it loads what versions stand on
    from demur.versions.modelled import modelled  # noqa: PLC0415  # the same

    with reading(invocation.workspace, rows=False) as session:
        text = model_card(modelled(session, name))
    if to is not None:
        write_durably(to, text.encode())
    emit(text if to is None else f"The card of {name}: {to}", {"run": name, "path": to, "card": text})


@click.command
@click.argument("name", metavar="RUN")
@click.option("--retrain", is_flag=True, help="Train from the base on, in this environment, be it another one.")
@click.option("--verify", is_flag=True, help="Change nothing: train it again from its base, and compare the bytes.")
@click.option("--spot", type=int, metavar="N", help="Change nothing: train N intervals again, and compare.")
@click.option("--nonce", metavar="WORDS", help="What picks these intervals: the verifier's own, told to nobody before.")
@shared
def replay(  # one option a kind of check
    invocation: Invocation, name: str, *, retrain: bool, verify: bool, spot: int | None, nonce: str | None
) -> None:
    """Train RUN again without whoever objected since, from the last checkpoint that never saw them.

    The new model takes the place of the old one, of which only facts and certificate stay. All objections that wait are
    one batch. It is exact: training from scratch without these people gives the same bytes.
    """
    need("`demur replay`", "train", "torch", "transformers", "tokenizers", "safetensors")
    if (spot is None) != (nonce is None) or (verify and spot is not None) or (retrain and (verify or spot)):
        raise UsageError("Say one thing: --retrain, --verify, or --spot N together with --nonce WORDS.")
    done = {"share": 0.0}

    def report(step: int, steps: int, _loss: float) -> None:
        done["share"] = step / max(steps, 1)

    what = "Replaying" if not verify and spot is None else "Checking"
    with progress(f"{what} {name}", share=lambda: done["share"]):
        if not verify and spot is None:
            from demur.training.replay import replay as train_again  # noqa: PLC0415  # it stands on torch

            runs = answering(invocation.workspace.models_path, name)
            replayed = [train_again(invocation.workspace, run.name, retrain=retrain, report=report) for run in runs]
            _emit_each(name, [_sentence(each) for each in replayed], [_data(each) for each in replayed])
            return
        from demur.training import checking  # noqa: PLC0415  # it stands on torch
        from demur.training.replay import newest_finished  # noqa: PLC0415  # the same

        checked = []
        for run in answering(invocation.workspace.models_path, name):
            with run.held(f"replay {run.name}"), reading(invocation.workspace) as session:
                model = newest_finished(run)
                if spot is None or nonce is None:
                    checked.append(checking.verify(session, model, report))
                else:
                    checked.append(checking.spot(session, model, spot, nonce.encode(), report))
    _emit_each(name, [_checked(each) for each in checked], [_checked_data(each) for each in checked])


def _emit_each(name: str, said: Sequence[str], data: Sequence[dict[str, object]]) -> None:
    """What was done with a run, or with each cohort of a family."""
    emit("\n".join(said), data[0] if len(data) == 1 else {"run": name, "cohorts": data})


def _lines(found: list[Listed]) -> str:
    if not found:
        return "There are no runs: `demur train VERSION` makes one."
    rows = [
        (
            each.run,
            each.model,
            each.version or "",
            each.serving or "nothing",
            each.audited or "no",
            each.state,
            each.to_do,
        )
        for each in found
    ]
    head = ("run", "model", "trained on", "serves", "audited", "state", "to do")
    return "\n".join(table(head, rows))


def _sentence(done: "Replayed") -> str:
    if done.parent is None:
        return f"Run {done.run.name}: nobody in it objected since; checkpoint {done.serving} serves."
    said = (
        f"Run {done.run.name}: {count(done.gone, 'account')} fewer. {done.model.name} takes the place of "
        f"{done.parent.name}, trained on from step {done.begun} of {done.steps}; what saw them is destroyed, and "
        f"checkpoint {done.serving} serves."
    )
    if not done.waiting:
        return said
    return f"{said} {count(done.waiting, 'account')} of people who objected meanwhile wait for the next replay."


def _data(done: "Replayed") -> dict[str, object]:
    return {
        "run": done.run.name,
        "model": done.model.number,
        "parent": None if done.parent is None else done.parent.number,
        "gone": done.gone,
        "first": done.first,
        "begun": done.begun,
        "steps": done.steps,
        "waiting": done.waiting,
        "serving": done.serving,
    }


def _checked(done: "Checked") -> str:
    name = f"{done.certificate.facts['run']}/{done.certificate.facts['model']}"
    where = ", ".join(f"{begin}-{end}" for begin, end in done.intervals)
    return f"{name}: {count(done.steps, 'step')} taken again ({where}), and every byte is what the certificate says."


def _checked_data(done: "Checked") -> dict[str, object]:
    facts = done.certificate.facts
    return {
        "run": facts["run"],
        "model": facts["model"],
        "certificate": done.certificate.digest,
        "intervals": [list(each) for each in done.intervals],
        "steps": done.steps,
    }
