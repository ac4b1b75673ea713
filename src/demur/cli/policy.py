"""``demur policy``: what is in force, and whether it holds together."""

import re
from typing import Final

import click

from demur.cli.app import Noun
from demur.cli.options import Invocation, shared
from demur.cli.output import emit
from demur.errors import CheckFailed
from demur.policy import Policy, RegisterPlace, place, render_policy
from demur.workspace import Workspace

_PASSWORD: Final = re.compile(r"(//[^/@:]*:).*(@)")


@click.group(cls=Noun)
def policy() -> None:
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

    Exits with 1 where something is missing, and names the lines to fill in.
    """
    workspace = invocation.workspace
    current = workspace.policy()
    gaps = _gaps(workspace, current)
    data = {"valid": True, "rules_hash": current.rules_hash(), "missing": gaps}
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
    from demur.cli import explanation as told  # noqa: PLC0415  # it loads Lance; the other commands do without
    from demur.corpus.explain import account_of_imports  # noqa: PLC0415  # the same
    from demur.corpus.explain import explain as explain_item  # noqa: PLC0415  # the same

    workspace = invocation.workspace
    current, path = workspace.policy(), workspace.policy_path
    if (item is None) is not counts:
        raise click.UsageError("Give either an ITEM or --counts.", click.get_current_context())
    if item is None:
        imports, totals, now = account_of_imports(workspace)
        page = told.counts_lines(imports, totals, now, current)
        emit(lambda: "\n".join(page), told.counts_data(imports, totals, now, current))
        return
    found = explain_item(workspace, item)
    emit(lambda: "\n".join(told.item_lines(found, current, path)), told.item_data(found, current, path))


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
