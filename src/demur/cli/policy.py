"""``demur policy``: what is in force, whether it holds together, and what it let in and kept out."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from demur.cli.app import Noun
from demur.cli.frame.options import Invocation, in_workspace, shared
from demur.cli.frame.output import count, emit, note, reasons_table
from demur.errors import CheckFailed
from demur.policy import Policy, RegisterPlace, door_lines, place, render_policy, rule_of
from demur.terms import Reason
from demur.workspace import Workspace

if TYPE_CHECKING:
    from demur.corpus.explain import Explanation
    from demur.corpus.imports import Counts, LastImport

_PASSWORD: Final = re.compile(r"(//[^/@:]*:).*(@)")


@click.group(cls=Noun)
@in_workspace
def policy(roots: Sequence[Path]) -> None:  # the command reads them
    """Show, check and explain demur.toml."""


@policy.command
@shared
def show(invocation: Invocation) -> None:
    """Print the policy in force: every key, also those that demur.toml leaves out."""
    current = _shown(invocation.workspace.policy())
    data = current.model_dump(mode="json", by_alias=True)
    emit(lambda: render_policy(current).rstrip("\n"), {"rules_hash": current.rules_hash(), "policy": data})


@policy.command
@shared
def check(invocation: Invocation) -> None:
    """Check that demur.toml holds together and says everything that a version has to state.

    Exits with 1 where something is missing, and names the lines to fill in. An effective date that comes before the
    notice period of people who are not told yet is over is noted.
    """
    workspace = invocation.workspace
    current = workspace.policy()
    gaps = _gaps(workspace, current)
    early = _early(workspace, current)
    data = {"valid": True, "rules_hash": current.rules_hash(), "missing": gaps, "early": early}
    if early:
        note(early)
    if not gaps:
        emit(f"{workspace.policy_path} holds together, and its legal basis is signed.", data)
        return
    emit(f"{workspace.policy_path} holds together, but something is missing:", data)
    raise CheckFailed(f"Fill in {'; '.join(gaps)}.")


@policy.command
@click.argument("item", required=False)
@click.option("--counts", is_flag=True, help="What the imports kept and left out, by kind and by reason.")
@shared
def explain(invocation: Invocation, item: str | None, *, counts: bool) -> None:
    """Explain which rule lets ITEM in or keeps it out, or with --counts what every import kept and left out.

    ITEM is an item's id as its source gives it, source:native-id, or its key as exports give it.
    """
    from demur.corpus.explain import account_of_imports  # noqa: PLC0415  # it loads Lance; the others do without
    from demur.corpus.explain import explain as explain_item  # noqa: PLC0415  # the same

    workspace = invocation.workspace
    current, path = workspace.policy(), workspace.policy_path
    if (item is None) is not counts:
        raise click.UsageError("Give either an ITEM or --counts.", click.get_current_context())
    if item is None:
        imports, totals, now = account_of_imports(workspace)
        page = _counts_lines(imports, totals, now, current)
        emit(lambda: "\n".join(page), _counts_data(imports, totals, now, current))
        return
    found = explain_item(workspace, item)
    emit(lambda: "\n".join(_item_lines(found, current, path)), _item_data(found, current, path))


def _shown(current: Policy) -> Policy:
    """The policy without the password that the register's URL may hold: what is shown gets pasted into tickets."""
    url = _PASSWORD.sub(r"\1***\2", current.register_.url)
    return current.model_copy(update={"register_": RegisterPlace(url=url)})


def _gaps(workspace: Workspace, current: Policy) -> list[str]:
    """Where something is missing that a version has to state."""
    text = workspace.policy_path.read_text("utf-8-sig")
    table = f"basis.{current.basis.use.replace('-', '_')}"
    assessment = current.basis.assessment
    wanted = {
        "controller.name": current.controller.name,
        "controller.contact": current.controller.contact,
        f"{table}.document": assessment.document,
        f"{table}.date": assessment.date,
        f"{table}.signed_by": assessment.signed_by,
    }
    return [place(workspace.policy_path, key, text) for key, value in wanted.items() if not value]


def _early(workspace: Workspace, current: Policy) -> str | None:
    """A sentence, where the policy takes effect before the notice period of those is over who are yet to be told."""
    from demur.notices.campaign import too_soon  # noqa: PLC0415  # it loads the register; the others do without

    sentence = too_soon(current, datetime.now(UTC).date())
    if sentence is None:
        return None
    with workspace.register() as register:
        begun, waits = bool(register.campaigns.list()), register.notices.waiting()
    return sentence if waits or (current.notice.required and not begun) else None


def _item_lines(told: "Explanation", policy: Policy, path: Path) -> Iterator[str]:
    """What became of an item, for people.

    Args:
        told: What became of it.
        policy: The policy now.
        path: Where it stands.
    """
    if told.kept:
        masks = ", ".join(f"{mask} {count(number, 'time')}" for mask, number in told.masks.items())
        yield f"Kept: it is in the corpus, as {told.item}."
        yield f"Masks in its text: {masks}." if masks else "Nothing in its text is masked."
    elif told.reason is None:
        yield "Not in the corpus, and no import has left it out:"
        yield "it was never read, or was kept and removed since, as someone objected or the policy changed."
    else:
        yield f"Left out by import {told.left_out_by}, by the reason {told.reason}. {rule_of(told.reason, policy)}"
        yield from door_lines({told.reason: 1}, policy, path)
        if told.imports > (told.left_out_by or 0):
            yield f"Should one of the imports since ({told.imports} is the last) have kept it, it was removed again."


def _item_data(told: "Explanation", policy: Policy, path: Path) -> dict[str, object]:
    """What became of an item, for machines."""
    rule = rule_of(told.reason, policy) if told.reason else None
    line = door_lines({told.reason: 1}, policy, path) if told.reason else []
    return {**vars(told), "rule": rule, "to_change": line}


def _counts_lines(
    imports: "list[LastImport]", totals: "Counts", now: Mapping[Reason, int], policy: Policy
) -> Iterator[str]:
    """What the last import from each source did, all imports together, and what is left out now, for people."""
    if not imports:
        yield "Nothing was imported yet: `demur import SOURCE PATH...` does."
        return
    for each in imports:
        yield f"Import {each.number}, the last from {each.source}: {_sentence(each.counts)}"
        yield from _details(each.counts, policy)
        yield ""
    yield f"All {imports[-1].number:,} imports together: {_sentence(totals)}"
    yield from _details(totals, policy)
    yield ""
    yield f"Left out now, each item once, by its last reading: {sum(now.values()):,}."
    yield from reasons_table(now, policy) if now else ()


def _counts_data(
    imports: "list[LastImport]", totals: "Counts", now: Mapping[Reason, int], policy: Policy
) -> dict[str, object]:
    """What imports did and what is left out now, for machines."""
    return {
        "last": [{**vars(each), "counts": vars(each.counts)} for each in imports],
        "total": vars(totals),
        "left_out_now": now,
        "rules": {reason: rule_of(reason, policy) for reason in totals.left_out},
    }


def _sentence(counts: "Counts") -> str:
    return f"{count(counts.read, 'item')} read, {counts.kept:,} kept, {sum(counts.left_out.values()):,} left out."


def _details(counts: "Counts", policy: Policy) -> Iterator[str]:
    if counts.kinds:
        yield "  read: " + ", ".join(f"{kind or 'unknown kind'} {number:,}" for kind, number in counts.kinds.items())
    if counts.left_out:
        yield from reasons_table(counts.left_out, policy)
