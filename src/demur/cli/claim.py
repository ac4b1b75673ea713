"""``demur claim`` and ``demur claims``: that a model repeats somebody's data, as staff record, test and answer it.

Invariants: nothing of what was said is printed but by ``demur claim read``, which is on record before it is; a test
that finds nothing is an answer, and says what was looked at.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import numpy as np

from demur.claims import answering, lodging
from demur.claims.lodging import Came, due, link, run_called
from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import count, emit, note, table
from demur.errors import DemurError, UsageError
from demur.objecting.channels import RECORDED, Route
from demur.objecting.office import Office
from demur.register import JSON, ClaimPhase, ClaimState, Register
from demur.register.claims import Said
from demur.terms import EntryKind
from demur.tokens import Tokens
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.claims.testing import Ask, Tested

_MOST_BYTES: Final = 1 << 20


@click.command
@shared
def claims(invocation: Invocation) -> None:
    """List the claims that a model repeats somebody's data: how each stands, and when its answer is due."""
    with invocation.workspace.register() as register:
        found = register.claims.listed()
    emit(lambda: _lines(found), {"claims": [_data(each) for each in found]})


@click.group(cls=Noun)
@in_workspace
def claim(roots: Sequence[Path]) -> None:  # the command reads them
    """Record, read, test and answer claims that a model repeats somebody's data."""


@claim.command
@click.option("--output", required=True, metavar="TEXT", help="What the model said; `-` reads the standard input.")
@click.option("--prompt", default="", metavar="TEXT", help="What it was asked.")
@click.option("--run", default="", metavar="RUN", help="The run that answered, where they know it.")
@click.option("--account", metavar="NAMESPACE:VALUE", help="An account that they say is theirs.")
@click.option("--contact", default="", metavar="ADDRESS", help="The mail address that the answer goes to.")
@click.option(
    "--channel",
    type=click.Choice([route.value for route in RECORDED]),
    default=Route.LETTER.value,
    show_default=True,
    help="How it arrived.",
)
@click.option(
    "--received",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The day it arrived, if not today: the answer is due within a month (Art. 12(3) GDPR).",
)
@shared
def record(invocation: Invocation, /, **said: Any) -> None:  # noqa: ANN401  # click's own: one for each option above
    """Record a claim that came by letter, mail or ticket. It is kept sealed, and needs no proof and no reason."""
    workspace, day = invocation.workspace, said["received"]
    if day and day.date() > datetime.now(UTC).date() + timedelta(days=1):  # "today" is a day ahead east of Greenwich
        raise click.BadParameter(f"{day.date()} has not come yet.", param_hint="--received")
    account = invocation.account(said["account"]) if said["account"] else ""
    output = _read() if said["output"] == "-" else said["output"]
    words = Said(output, said["prompt"], account, said["contact"])
    run = run_called(workspace.models_path, said["run"])
    with workspace.register() as register:
        office = _office(workspace, register)
        came = Came(said["channel"], day.date() if day else None)
        state = lodging.lodge(register, words, office, came, run)
        page = link(office, state, workspace.policy().notice.languages[0])
    sentence = f"Claim {state.reference} is recorded; its answer is due by {due(state)}. Its page: {page}"
    emit(sentence, {**_data(state), "page": page})


@claim.command
@click.argument("reference")
@shared
def read(invocation: Invocation, reference: str) -> None:
    """Print what was said with a claim; the register notes that it was read."""
    with invocation.workspace.register() as register:
        state, said = register.claims.get(reference), register.claims.said(reference)
        payload: dict[str, JSON] = {"claim": state.seq, "what": "statement"}
        register.log.append(EntryKind.DATA_READ, payload, subjects=np.array([state.account], np.int64))
    if said is None:
        raise UsageError(f"What was said with the claim {state.reference} was erased: nothing is left to read.")
    emit(f"Asked:\n{said.prompt or '(they do not say)'}\n\nSaid:\n{said.output}", {**_data(state), **vars(said)})


@claim.command
@click.argument("reference", required=False)
@click.option("--waiting", is_flag=True, help="All that were not tested yet, as the worker does.")
@shared
def test(invocation: Invocation, reference: str | None, *, waiting: bool) -> None:
    """Test a claim: against the rows that the runs were trained on, and by asking what serves, where demur[train] is.

    What was not found is told as that. Where what serves has seen rows of somebody who objected, its pointer moves.
    """
    if bool(reference) == waiting:
        raise click.UsageError("Which one? Give its reference, or --waiting for all that were not tested yet.")
    from demur.claims.testing import try_claim  # noqa: PLC0415  # Lance, which a list does without

    workspace = invocation.workspace
    with _asking(workspace) as ask:
        if reference:
            done = [try_claim(workspace, reference, ask)]
        else:
            done = list(_each(workspace, lambda waits: try_claim(workspace, waits, ask)))
    emit(lambda: _told(done), {"claims": [_data(each.state) for each in done]})


@claim.command
@click.argument("reference")
@click.option(
    "--note", "added", default="", metavar="TEXT", help="What you add, for the person's page alone; kept sealed."
)
@shared
def answer(invocation: Invocation, reference: str, added: str) -> None:
    """Answer a claim by what its last test found: on its page, and by mail where an address was given."""
    workspace = invocation.workspace
    with workspace.register() as register:
        state = answering.answer(register, reference, _office(workspace, register), note=added)
    emit(f"Claim {state.reference} is answered: {_found(state)}.", _data(state))


def _each(workspace: Workspace, test_it: "Callable[[str], Tested]") -> "Iterator[Tested]":
    """Test what waits; what can't be tested is told, and keeps no other from its test."""
    with workspace.register() as register:
        waiting = [each.reference for each in register.claims.listed(ClaimPhase.LODGED)]
        waiting = [each for each in waiting if register.claims.said(each) is not None]
    for each in waiting:
        try:
            yield test_it(each)
        except DemurError as error:
            note(f"The claim {each} was not tested: {error}")


@contextmanager
def _asking(workspace: Workspace) -> "Iterator[Ask | None]":
    """What asks the models of a workspace, for as long as the block runs; None where demur[train] is not installed."""
    from demur.extras import has  # noqa: PLC0415  # as below
    from demur.training.environment import NEEDS  # noqa: PLC0415  # it is loaded only where a model may be asked

    if not has(*NEEDS):
        yield None
        return
    from demur.training.claims import asking  # noqa: PLC0415  # it stands on torch

    with asking(workspace) as ask:
        yield ask


def _read() -> str:
    data = sys.stdin.buffer.read(_MOST_BYTES + 1)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError("What the model said is no text in UTF-8: convert it first.") from None


def _office(workspace: Workspace, register: Register) -> Office:
    keys = workspace.keys()
    return Office(workspace.policy(), keys, Tokens.of(keys, register.incarnation), datetime.now(UTC))


def _lines(found: list[ClaimState]) -> str:
    if not found:
        return "There are no claims: `demur claim record` takes one that came by letter."
    head = ("reference", "state", "came", "answer by", "run", "found")
    rows = [
        (each.reference, each.phase.value, f"{each.received}", f"{due(each)}", each.run or "", each.outcome or "")
        for each in found
    ]
    return "\n".join(table(head, rows))


def _told(done: "list[Tested]") -> str:
    return "\n".join(map(_sentence, done)) or "No claim waits for a test."


def _sentence(done: "Tested") -> str:
    """What was found, and what was looked at."""
    state, looked = done.state, done.looked
    told = [f"{each.run}: {count(each.rows, 'row')}, of which what serves saw {each.served:,}" for each in looked.runs]
    told.append(f"asked {count(looked.asked, 'time')}" if looked.asked else "no model was asked")
    if looked.withheld:
        told.append(f"{count(looked.withheld, 'passage')} of it are words of people who objected")
    alarm = " This is an incident: rows of somebody who objected, or their words, came back." if done.incident else ""
    return f"Claim {state.reference}: {_found(state)}. Looked at: {'; '.join(told)}.{alarm}"


def _found(state: ClaimState) -> str:
    return "not tested yet" if state.outcome is None else answering.FOUND[state.outcome]


def _data(state: ClaimState) -> dict[str, object]:
    return {
        "reference": state.reference,
        "entry": state.seq,
        "state": state.phase,
        "channel": state.channel,
        "received": state.received,
        "due": due(state),
        "run": state.run,
        "outcome": state.outcome,
        "result": state.result,
    }
