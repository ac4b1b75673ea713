"""The frame of the command line: which commands there are, and how every run ends.

Invariants: nothing heavy is imported before a command is chosen, so that ``demur --help`` answers at once; a run
ends with 0, 1 (a check failed) or 2 (wrong use, bad input), 130 when it was stopped, 141 when nobody reads on; what
goes wrong is one sentence on stderr.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import click
from click.shell_completion import shell_complete

from demur.cli.frame.failure import BROKEN_PIPE, tell
from demur.cli.frame.options import in_workspace
from demur.errors import suggestion
from demur.files import write_for_owner_only
from demur.processes import collect_seldom, without_pandas

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("demur.cli.init:init", "Make a workspace with safe defaults."),
    "demo": ("demur.cli.demo:demo", "Run the whole loop on a synthetic community."),
    "policy": ("demur.cli.policy:policy", "Show, check and explain demur.toml."),
    "sources": ("demur.cli.import_:sources", "List what can be imported."),
    "import": ("demur.cli.import_:import_", "Read a platform's content into the corpus."),
    "members": ("demur.cli.members:members", "Read what the platform knows of its members."),
    "notice": ("demur.cli.notice:notice", "Tell members what is used of theirs, and how to object."),
    "object": ("demur.cli.objection:object_", "Record an objection that came by letter, mail or ticket."),
    "names": ("demur.cli.objection:names", "Record what else the person of an objection is called."),
    "confirm": ("demur.cli.objection:confirm", "Record that an objection was confirmed."),
    "doubt": ("demur.cli.objection:doubt", "Record reasonable doubt whose an objection is."),
    "lapse": ("demur.cli.objection:lapse", "Record that an objection lapsed."),
    "revive": ("demur.cli.objection:revive", "Bring back an objection that has lapsed."),
    "withdraw": ("demur.cli.objection:withdraw", "Record that a person withdrew their objection."),
    "link": ("demur.cli.members:link", "Record that two accounts belong to one person."),
    "unlink": ("demur.cli.members:unlink", "Record that two accounts do not belong to one person."),
    "consent": ("demur.cli.consent:consent", "Record consents, given and withdrawn."),
    "find": ("demur.cli.find:find_", "Find everything the corpus holds of and about a person."),
    "access": ("demur.cli.rights:access", "Write a person's copy of what is held of and about them."),
    "erase": ("demur.cli.rights:erase", "Erase a person, down to the bytes, and keep them out."),
    "publish": ("demur.cli.version:publish", "Publish the corpus as a version that never changes."),
    "versions": ("demur.cli.version:versions", "List the versions, and whether they are stale."),
    "retire": ("demur.cli.version:retire", "Retire a version."),
    "train": ("demur.cli.train:train", "Train a language model on a version."),
    "runs": ("demur.cli.runs:runs", "List the runs, what serves, and what is to do."),
    "compare": ("demur.cli.compare:compare", "Compare runs of one version: loss, forgetting, leakage, speed."),
    "generate": ("demur.cli.generate:generate", "Continue a text by what serves of a run."),
    "release": ("demur.cli.runs:release", "Write what serves of a run as a folder that others load."),
    "replay": ("demur.cli.runs:replay", "Train a run again without whoever objected since."),
    "card": ("demur.cli.runs:card", "Write the model card of a run."),
    "claim": ("demur.cli.claim:claim", "Record, read, test and answer claims that a model repeats somebody's data."),
    "claims": ("demur.cli.claim:claims", "List these claims, and when each answer is due."),
    "export": ("demur.cli.version:export", "Write a version as files that trainers read."),
    "recall": ("demur.cli.version:recall", "Write the list of rows that holders of copies must remove."),
    "verify": ("demur.cli.version:verify", "Check a version, its manifest and its exports."),
    "prove": ("demur.cli.log:prove", "Show that an objection is in the register's log."),
    "relodge": ("demur.cli.relodge:relodge", "Lodge again what the register lost, by people's receipts."),
    "log": (
        "demur.cli.log:log",
        "Show the log's key, write the log as files that anybody can check, compare two states of it.",
    ),
    "witness": ("demur.cli.witness:witness", "Be a witness: cosign logs of others."),
    "audit": (
        "demur.cli.audit:audit",
        "Measure what is left of withheld people, what leaving them out did, and what models show of others.",
    ),
    "key": ("demur.cli.access:key", "Make, list and revoke the keys of the API."),
    "staff": ("demur.cli.access:staff", "Invite, list and remove the staff who use the pages at /staff/."),
    "serve": ("demur.cli.serve:serve", "Serve the portal, the API and the officer's pages."),
    "worker": ("demur.cli.delivery:worker", "Deliver notices and mails, and let the corpus follow."),
    "bounce": ("demur.cli.delivery:bounce", "Record mails that came back."),
    "status": ("demur.cli.upkeep:status", "Show where the workspace stands."),
    "backup": ("demur.cli.backup:backup", "Copy the workspace while it runs, to restore it from."),
    "restore": ("demur.cli.backup:restore", "Make a workspace of a backup and the mark that outlived it."),
    "mark": ("demur.cli.backup:mark", "Show the mark, or begin a new one where it is lost."),
    "maintain": ("demur.cli.upkeep:maintain", "Bring the corpus up to date, and keep it small and fast."),
}
"""Every command: ``module:name`` and its short help, in the order of the help page."""

_FORMER: Final = {"notify": "demur.cli.notice:notify"}
"""Spellings that go with the next release: they do what they did, and no page names them."""

_COMPLETE: Final = "_DEMUR_COMPLETE"


class Noun(click.Group):
    """A group of commands: without arguments it shows its help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Show the help where nothing is asked for."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for, or an error that names the nearest one."""
        name = args[0]
        if name in self.list_commands(ctx) or name in _FORMER or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        msg = f"There is no command `{ctx.command_path} {name}`: {suggestion(name, self.list_commands(ctx))}"
        raise click.UsageError(msg)


class Root(Noun):
    """The commands of :data:`COMMANDS`, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """All names, in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # the same
        """The command, imported now, or None."""
        place = COMMANDS[cmd_name][0] if cmd_name in COMMANDS else _FORMER.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # the same
        """The table of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="demur", message="demur %(version)s")
@in_workspace
def cli(roots: Sequence[Path]) -> None:  # the command reads them
    """Train AI on your community's content, keep everyone who said no out of it, and prove it."""


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    try:
        if os.environ.get(_COMPLETE):
            return shell_complete(cli, {}, "demur", _COMPLETE, os.environ[_COMPLETE])
        with cli.make_context("demur", list(arguments)) as context:
            cli.invoke(context)
            sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one place where every error becomes a sentence
        return tell(error)
    return 0


def main() -> NoReturn:
    """The entry point ``demur``."""
    collect_seldom()
    write_for_owner_only()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would ask every installed package for some
    without_pandas()
    sys.exit(run(sys.argv[1:]))
