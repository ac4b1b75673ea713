"""``demur compare``: runs of one version side by side."""

from typing import TYPE_CHECKING

import click

from demur.cli.frame.options import Invocation, shared
from demur.cli.frame.output import emit, table
from demur.corpus.session import reading
from demur.extras import need

if TYPE_CHECKING:
    from demur.training.audit.figure import Figure
    from demur.training.comparing import Comparison


@click.command
@click.argument("names", metavar="RUN...", nargs=-1, required=True)
@shared
def compare(invocation: Invocation, names: tuple[str, ...]) -> None:
    """Compare what serves of several RUNs of one version: loss, the cost of forgetting, what leaks, and speed.

    The loss is over people whom every one of them holds out. Leakage stands there once `demur audit` has measured it.
    Forgetting is a share of the personal phase where a replay trains again, and milliseconds where a store forgets.
    """
    from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where models are compared

    need("`demur compare`", "train", *NEEDS)
    from demur.training import comparing  # noqa: PLC0415  # the same

    with reading(invocation.workspace) as session:
        found = comparing.compare(session, names)
    emit(lambda: _lines(found), _data(found))


def _lines(found: "Comparison") -> str:
    rows = [
        (each.name, side.run, _value(each), each.unit, f"{each.n:,} {each.of}", each.note)
        for side in found.sides
        for each in side.figures
    ]
    order = list(dict.fromkeys(row[0] for row in rows))
    kinds = list(dict.fromkeys(name.partition(",")[0] for name in order))
    rows.sort(key=lambda row: (kinds.index(row[0].partition(",")[0]), order.index(row[0])))
    sides = [(side.run, side.model, side.kind, side.serves) for side in found.sides]
    return "\n".join(
        [
            f"Version {found.version}",
            *table(("run", "model", "holds rows in", "serves"), sides),
            "",
            *table(("", "run", "value [95 %]", "unit", "over", "note"), rows),
            "",
            *found.notes,
        ]
    )


def _value(figure: "Figure") -> str:
    if figure.value is None:
        return "none"
    between = "" if figure.interval is None else " [{:.4g}, {:.4g}]".format(*figure.interval)
    return f"{figure.value:.4g}{between}"


def _data(found: "Comparison") -> dict[str, object]:
    runs = [
        {
            "run": side.run,
            "model": side.model,
            "kind": side.kind,
            "serves": side.serves,
            "figures": [
                {
                    "name": each.name,
                    "value": each.value,
                    "unit": each.unit,
                    "n": each.n,
                    "of": each.of,
                    "interval": each.interval,
                    "note": each.note,
                }
                for each in side.figures
            ],
        }
        for side in found.sides
    ]
    return {"version": found.version, "runs": runs, "notes": list(found.notes)}
