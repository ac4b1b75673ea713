"""``demur audit``: what a version still holds of withheld people, and what a model shows of those in it."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, Paged, as_page, in_workspace, shared
from demur.cli.frame.output import Page, count, emit, emit_paged, progress, table
from demur.cli.skew import audit_skew
from demur.corpus.session import reading
from demur.extras import need
from demur.runs.folder import called

if TYPE_CHECKING:
    from demur.training.audit.report import Audit
    from demur.versions.residual import Residual

_SAMPLE = 2_000
_PERSONS, _OBJECTORS, _REFERENCES, _TOKENS = 1_000, 100, 1, 4_096
_MODEL = "model"


class Audits(Noun):
    """The audits; a name that is none of them is a run's, whose model is audited."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The audit that is asked for; `demur audit RUN` means `demur audit model RUN`."""
        if args[0] in self.list_commands(ctx) or args[0].startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        return _MODEL, self.get_command(ctx, _MODEL), args


@click.group(cls=Audits)
@in_workspace
def audit(roots: Sequence[Path]) -> None:  # the command reads them
    """Measure what is left of withheld people, what leaving them out did, and what models show of others."""


audit.add_command(audit_skew)


@audit.command(_MODEL, cls=Paged)
@click.argument("name", metavar="RUN")
@click.option(
    "--persons",
    type=click.IntRange(min=2),
    default=_PERSONS,
    show_default=True,
    help="How many members at most, and how many of those held out.",
)
@click.option(
    "--tokens",
    type=click.IntRange(min=2),
    default=_TOKENS,
    show_default=True,
    help="About how many tokens of a person are read at most.",
)
@click.option(
    "--objectors",
    type=click.IntRange(min=0),
    default=_OBJECTORS,
    show_default=True,
    help="How many members are taken out as if they had objected; 0 for no such training.",
)
@click.option(
    "--references",
    type=click.IntRange(min=0),
    default=_REFERENCES,
    show_default=True,
    help="Pairs of models to train for RMIA, each on half of the members; 0 for none.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of every draw; the same seed draws the same.")
@click.option(
    "--version",
    metavar="V",
    help="RUN is the folder of a model that demur did not train: it is asked for what people of this version wrote.",
)
@as_page
@shared
def audit_model(  # noqa: PLR0913, PLR0917  # each is an option
    invocation: Invocation,
    name: str,
    persons: int,
    tokens: int,
    objectors: int,
    references: int,
    seed: int | None,
    version: str | None,
    page: str | None,
) -> None:
    """Test what the model that serves of RUN shows of the people whose rows it was trained on.

    Members are compared with people whom the run held out, by several attacks, each with an interval over persons; a
    part of the members is taken out as if they had objected, by training again in a folder of its own. What is found is
    a lower bound. The report lies beside the model, and its digest is put on record. Where RUN is a family of cohorts,
    what answers by its name is audited, as one model.

    `demur audit RUN` is the same; a run that is called like another audit needs the longer form. With --version, RUN is
    a folder in the format of Hugging Face: what needs only its answers is tried, and nothing goes on record.
    """
    from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where a model is read

    need("`demur audit model`", "train", *NEEDS)
    from demur.training.audit import auditing  # noqa: PLC0415  # the same
    from demur.training.audit.people import Draw  # noqa: PLC0415  # the same
    from demur.training.audit.served import audited_model  # noqa: PLC0415  # the same

    draw = Draw(persons, tokens, secrets.randbelow(2**31) if seed is None else seed)
    share = {"done": 0.0}

    def report(done: float) -> None:
        share["done"] = done

    if version is not None:
        from demur.training.audit.outside import audit_outside  # noqa: PLC0415  # as above

        with reading(invocation.workspace) as session, progress(f"Auditing {name}", share=lambda: share["done"]):
            done = audit_outside(session, Path(name), version, draw, report)
        _emit(done, page, Path(name).name)
        return
    plain = name.partition("/")[0]
    with (
        reading(invocation.workspace) as session,
        ExitStack() as held,
        progress(f"Auditing {plain}", share=lambda: share["done"]),
    ):
        for folder in called(invocation.workspace.models_path, plain):
            held.enter_context(folder.held(f"audit {plain}"))
        served = audited_model(session, name)
        done = auditing.audit(session, served, auditing.Asked(draw, objectors, references), report)
        auditing.keep(session, served, done)
    _emit(done, page, plain)


def _emit(done: "Audit", page: str | None, name: str) -> None:
    from demur.training.audit.page import audit_page  # noqa: PLC0415  # as above

    shown = None if page is None else Page(page, f"demur-audit-{name}.html", lambda: audit_page(done))
    emit_paged(lambda: "\n".join(_audit_lines(done)), {**done.json(), "digest": done.digest}, shown)


def _audit_lines(done: "Audit") -> Iterator[str]:
    from demur.training.audit.page import HEAD, cells  # noqa: PLC0415  # as above
    from demur.training.audit.report import MEANS  # noqa: PLC0415  # the same

    people = done.people
    yield (
        f"Model {done.name}: {people['members']:,} of {people['members_of']:,} members and {people['held_out']:,} of "
        f"{people['held_out_of']:,} people held out (--seed {people['seed']})."
    )
    yield from table(HEAD, cells(done), right="over")
    yield from (f"{found.attack}: {found.said}" for found in done.findings if found.said)
    yield f"Not run: {', '.join(each.attack for each in done.not_run)}."
    yield MEANS
    where = "lies beside the model" if done.about["certificate"] else "goes on no record: it is of no run"
    yield f"The report (SHA-256 {done.digest}) {where}."


@audit.command("residual")
@click.argument("name")
@click.option(
    "--sample", type=click.IntRange(min=1), default=_SAMPLE, show_default=True, help="How many rows to read again."
)
@click.option("--seed", type=click.IntRange(min=0), help="Which rows to draw; the same seed draws the same.")
@shared
def audit_residual(invocation: Invocation, name: str, sample: int, seed: int | None) -> None:
    """Say how many rows of the version NAME may still name withheld people or copy their words, at most.

    Draws rows at random and reads them again, counting whatever may mean somebody withheld, however unlikely. The bound
    is by kind of find, exact at 95 %. It is one on what demur can see: no name that nobody declared is in it.
    """
    from demur.versions import residual  # noqa: PLC0415  # it loads the kernel, which no other command here needs

    drawn = secrets.randbelow(2**31) if seed is None else seed
    with progress(f"Reading {name} again"), reading(invocation.workspace) as session:
        found = residual.residual(session, name, sample, drawn)
    rows = [{**vars(left), "rows_at_most": found.at_most(left)} for left in found.left]
    data = {**vars(found), "left": rows, "assumed": residual.ASSUMED}
    emit(lambda: "\n".join(_residual_lines(found, residual.ASSUMED)), data)


def _residual_lines(found: "Residual", assumed: str) -> Iterator[str]:
    yield (
        f"{count(found.sampled, 'row')} of the {found.of:,} of version {found.name} read again (--seed {found.seed})."
    )
    cells = [
        (left.tier.replace("_", " "), f"{left.rows:,}", f"{left.high:.4%}", f"{found.at_most(left):,}")
        for left in found.left
    ]
    yield from table(("may be left", "seen", "share", "rows"), cells, right="seen share rows")
    yield "Seen are rows of the sample; share and rows are of the version, at most (95 %)."
    masked = found.left[-1].sure
    if masked:
        yield f"{count(masked, 'row')} of the sample would be masked today: the version is stale; publish a new one."
    if found.newer:
        yield "The register has newer binding entries than the version: what they withhold is counted, too."
    yield assumed
