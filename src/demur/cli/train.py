"""``demur train``: a language model on a version, that a later objection reaches."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import count, emit, progress
from demur.corpus.session import reading
from demur.errors import UsageError
from demur.extras import need
from demur.runs.facts import SEVERAL, read_facts
from demur.runs.folder import RunFolder

if TYPE_CHECKING:
    from demur.training.config import Config
    from demur.training.first import Trained


@click.command
@click.argument("version")
@click.option("--run", "name", metavar="NAME", help="What the run is called (else as the version).")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A TOML or JSON file of the configuration.",
)
@click.option(
    "--base",
    multiple=True,
    metavar="PLACE",
    help="Declared data (a file, several times), the folder of a checkpoint, or run:NAME.",
)
@click.option(
    "--canaries",
    type=click.IntRange(min=0),
    metavar="N",
    help="Plant N rows that nobody wrote, so that an audit can measure what is kept of a row.",
)
@click.option("--memory", is_flag=True, help="Train nothing: keep the rows in a store that is read beside the base.")
@click.option("--held-as", metavar="RUN", help="Order rows and hold people out as RUN does, to compare both.")
@click.option("--resume", is_flag=True, help="Go on with a run that was cut off.")
@shared
def train(  # noqa: PLR0913  # one parameter an option
    invocation: Invocation,
    version: str,
    name: str | None,
    file: Path | None,
    base: tuple[str, ...],
    canaries: int | None,
    held_as: str | None,
    *,
    memory: bool,
    resume: bool,
) -> None:
    """Train a language model on VERSION, and keep it ready for the objection that comes after it.

    First a base on declared data, in which nobody may object, or from a checkpoint; then the rows of the version, those
    of people who are likely to object for few words last. Whoever objects meanwhile is out of every later step.
    """
    from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where somebody trains

    need("`demur train`", "train", *NEEDS)
    from demur.training import families, first  # noqa: PLC0415  # the same

    called = name or version.lower()
    done = {"share": 0.0}
    with (
        reading(invocation.workspace) as session,
        progress(f"Training {called}", share=lambda: done["share"]),
    ):
        if resume:
            if file or base or memory or held_as or canaries is not None:
                raise UsageError(
                    "--resume goes on with the run as it was begun: leave out --config, --base, --canaries, --memory "
                    "and --held-as."
                )
            runs = families.resumed(session, called, version)
        else:
            with suppress(OSError):
                first.require_not_begun(RunFolder(session.workspace.models_path, called), version)
            places = [_absolute(each) for each in base]
            runs = families.begin(
                session, version, name=called, config=_config(file, canaries, memory=memory), base=places, like=held_as
            )

        def report(step: int, steps: int, _loss: float) -> None:
            done["share"] = step / max(steps, 1)

        trained = families.carry_out(session, runs, report)
    if len(trained) == 1:
        emit(lambda: _sentence(trained[0]), _data(trained[0]))
    else:
        emit(lambda: _family(called, trained), {"run": called, "cohorts": [_data(each) for each in trained]})


def _config(file: Path | None, canaries: int | None, *, memory: bool) -> "Config":
    from demur.training.config import Config, read_config  # noqa: PLC0415  # it is needed for a new run alone

    config = Config() if file is None else read_config(file)
    if memory:
        config = replace(config, memory=True)
    return config if canaries is None else replace(config, canaries=canaries)


def _absolute(base: str) -> str:
    return base if base.startswith("run:") else str(Path(base).absolute())


def _sentence(trained: "Trained") -> str:
    from demur.training.epsilon import worth  # noqa: PLC0415  # it is needed once something was trained

    outcome, name = trained.outcome, trained.run.model.run.name
    people = count(len(outcome.plan.people()), "account")
    if trained.run.config.memory:
        return (
            f"Run {name}: {count(len(outcome.plan), 'row')} that concern {people} stand in a store beside the base, "
            "whose weights have seen none of them. The store holds what they wrote: keep it as you keep the corpus."
        )
    said = (
        f"Run {name}: {count(outcome.saved.step, 'step')} on {outcome.saved.tokens:,} tokens that concern {people}; "
        f"checkpoint {trained.serving} serves."
    )
    if planted := _canaries(trained):
        said += f" Canaries among the rows, which nobody wrote: {planted:,}."
    if trained.run.config.noise:
        said += f" {worth(trained.run.config.noise, trained.run.config.delta, 1)}"
    if not len(outcome.seen):
        return said
    return (
        f"{said} {count(len(outcome.seen), 'account')} of people who objected meanwhile stood in steps already taken: "
        f"run `demur replay {name}`."
    )


def _canaries(trained: "Trained") -> int:
    from demur.training.canaries import dealt  # noqa: PLC0415  # it is needed once something was trained

    return len(dealt(trained.run.config))


def _family(name: str, trained: "list[Trained]") -> str:
    """What each cohort came to, and what answers to the name of all."""
    several = trained[0].run.model.run.model("0001")
    left = read_facts(several).unknown.get(SEVERAL, 0)
    said = f"{count(int(str(left)), 'row')} of people of several cohorts trained none. `{name}` answers by all of them."
    return "\n".join([*map(_sentence, trained), said])


def _data(trained: "Trained") -> dict[str, object]:
    saved = trained.outcome.saved
    return {
        "run": trained.run.model.run.name,
        "model": trained.run.model.number,
        "steps": saved.step,
        "tokens": saved.tokens,
        "rows": len(trained.outcome.plan),
        "canaries": _canaries(trained),
        "noise": trained.run.config.noise,
        "memory": trained.run.config.memory,
        "accounts": len(trained.outcome.plan.people()),
        "to_replay": len(trained.outcome.seen),
        "serving": trained.serving,
        "weights": saved.weights,
        "moments": saved.moments,
        "ema": saved.ema,
        "chain": saved.chain.hex(),
    }
