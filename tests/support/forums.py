"""A small forum in a workspace of its own, to which events happen: what its corpus holds, and what it ought to hold."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from making import NOW, batch, open_policy

from demur import workspace as workspaces
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.corpus.threads import govern_at_rest
from demur.identity import Pepper
from demur.register.members.rows import MEMBER
from demur.versions.leave import recall
from demur.workspace import Workspace

RAM: Final = Path("/dev/shm")


class Forum:
    """A workspace that events happen to."""

    def __init__(self, names: Mapping[str, Sequence[str]], *, members: bool = False) -> None:
        """A new forum, all of which have the same keys.

        Args:
            names: those of its members, by account.
            members: whether it has those with a name from the beginning.
        """
        self._names = names
        self._references: dict[str, str] = {}
        self.folder = _folder()
        named = tuple((account, tuple(its)) for account, its in names.items() if its) if members else ()
        self.workspace = Workspace(Path(shutil.copytree(_template(named), self.folder / "w")))
        self.pepper: Pepper = self.workspace.keys().pepper
        self.last: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        shutil.rmtree(self.folder)

    def happen(self, kind: str, what: Any) -> None:  # noqa: ANN401  # an event's
        getattr(self, kind)(what)

    def import_(self, items: Sequence[dict[str, Any]]) -> None:
        import_items(
            self.workspace,
            "table",
            iter([batch(items[:2]), batch(items[2:])] if items[2:] else [batch(items)]),
            now=NOW,
        )
        self.last |= {each["item"]: each for each in items}

    def object(self, account: str) -> None:
        with self.workspace.register() as register:
            lodged = register.objections.lodge([account], channel="form", now=NOW)
        self._references[account] = lodged.reference
        honour(self.workspace, now=NOW)

    def withdraw(self, account: str) -> None:
        with self.workspace.register() as register:
            register.objections.withdraw(self._references.pop(account), now=NOW)
        honour(self.workspace, now=NOW)

    def members(self, account: str) -> None:
        _know(self.workspace, [(account, self._names[account])])

    def link(self, both: tuple[str, str]) -> None:
        if both[0] != both[1]:
            with self.workspace.register() as register:
                register.members.link(*both, now=NOW)
            honour(self.workspace, now=NOW)

    def held(self) -> dict[bytes, tuple[str, list[Any]]]:
        """The rows: text and spans by item key."""
        with reading(self.workspace, NOW) as session:
            found = [row for part in session.corpus.batches() for row in part.to_pylist()]
        assert len({row["item"] for row in found}) == len(found)
        return {row["item"]: (row["text"], row["spans"]) for row in found}

    def recalled(self, version: str) -> set[bytes]:
        """The items that holders of a version must remove or replace."""
        path = self.folder / "recall.csv"
        recall(self.workspace, version, path, now=NOW)
        return {bytes.fromhex(line.split(",")[0].strip('"')) for line in path.read_text().splitlines()[1:]}

    def said(self) -> dict[str, tuple[str, list[Any]]]:
        """The rows by item id, without anybody's key: another workspace has other keys."""
        held, bare = self.held(), ("role", "start", "end")
        names = {self.pepper.item_key(name): name for name in self.last}
        return {
            names[key]: (text, [{each: one[each] for each in bare} for one in spans])
            for key, (text, spans) in held.items()
        }

    def governed_again(self, version: str | None = None) -> dict[bytes, tuple[str, list[Any]]]:
        """What the kernel makes of the corpus's own rows, all of them, by what is known now: nothing may change.

        Of a version's rows, if one is named.
        """
        with reading(self.workspace, NOW) as session:
            rules, _ = session.rules()
            threads = session.threads(rules)
            found = {}
            corpus = session.corpus if version is None else Corpus.open(self.workspace.corpus_path, version)
            for part in corpus.batches():
                rows = part.select([name for name in part.schema.names if name != "_rowaddr"])
                for row in govern_at_rest(rows, rules, threads).kept.to_pylist():
                    found[row["item"]] = (row["text"], row["spans"])
        return found


def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="demur-words-", dir=RAM if RAM.is_dir() else None))


@cache
def _template(named: tuple[tuple[str, tuple[str, ...]], ...]) -> Path:
    """A workspace with some members, made once and copied for every forum: its making takes longer than an import."""
    folder = _folder()
    atexit.register(shutil.rmtree, folder)
    workspace = workspaces.create(folder / "w", open_policy())
    if named:
        _know(workspace, named)
    return workspace.root


def _know(workspace: Workspace, named: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Import members by account and names."""
    rows = [{"account": account, "names": list(names), "locale": "en"} for account, names in named]
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)
    honour(workspace, now=NOW)
