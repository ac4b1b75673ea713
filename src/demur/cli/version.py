"""``demur publish``, ``versions`` and ``retire``: the versions of the corpus."""

from collections.abc import Sequence

import click

from demur.cli.options import Invocation, shared
from demur.cli.output import count, emit, progress
from demur.cli.tables import table
from demur.corpus.session import reading
from demur.versions import publish as publishing
from demur.versions.states import VersionState, states


@click.command
@click.argument("name")
@click.option("--accept-loss", is_flag=True, help="Go on without what a restore lost; the decision is put on record.")
@shared
def publish(invocation: Invocation, name: str, *, accept_loss: bool) -> None:
    """Publish the corpus as it is now as the version NAME, which never changes.

    A name is used once. It honours every objection recorded before; a later one makes it stale. Refuses while the
    legal basis in use is not signed, and while it is not decided what becomes of a restore's loss.
    """
    with progress(f"Publishing {name}"):
        manifest = publishing.publish(invocation.workspace, name, accept_loss=accept_loss)
    content = manifest.content
    sentence = (
        f"Version {name} is published: {count(content.rows, 'row')},"
        f" honouring the register up to entry {manifest.checkpoint.binding}."
    )
    emit(sentence, manifest.facts())


@click.command
@shared
def versions(invocation: Invocation) -> None:
    """List the versions, and whether they are stale: rows that may not be used any more, or not as they are."""
    with reading(invocation.workspace) as session:
        found = states(session)
    emit(lambda: _listed(found), {"versions": found_data(found)})


@click.command
@click.argument("name")
@shared
def retire(invocation: Invocation, name: str) -> None:
    """Retire the version NAME: it can't be exported any more, and `demur maintain` removes its files."""
    publishing.retire(invocation.workspace, name)
    emit(f"Version {name} is retired; `demur maintain` removes its files.", {"name": name, "retired": True})


def found_data(found: Sequence[VersionState]) -> list[dict[str, object]]:
    """Versions, for machines."""
    return [vars(state) for state in found]


def version_lines(found: Sequence[VersionState]) -> list[str]:
    """Versions, for people."""
    rows = [
        (state.name, state.published.strftime("%Y-%m-%d %H:%M"), f"{state.rows:,}", _standing(state)) for state in found
    ]
    return list(table(("version", "published (UTC)", "rows", "state"), rows, right="rows"))


def _listed(found: Sequence[VersionState]) -> str:
    return "\n".join(version_lines(found)) if found else "No version yet: `demur publish NAME` makes one."


def _standing(state: VersionState) -> str:
    if state.retired:
        return "retired"
    return f"stale: {count(state.stale, 'row')} to remove or replace" if state.stale else "current"
