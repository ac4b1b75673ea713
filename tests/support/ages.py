"""A workspace at several ages, whose parts can be put together in any way; all names are invented.

Invariants: from one age to the next every part goes on: the register has binding entries, the corpus honoured them,
a version was published; so that an older part beside a newer one is always an older one.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from making import batch, item, open_policy, span

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.rights.erasing import erase
from demur.versions.publish import publish
from demur.workspace import Workspace

PEOPLE: Final = ("ann", "ben", "cyd", "dag", "eve", "flo")
AGES: Final = 4
"""Age n: the first n of the people objected; at the last one the next was erased besides."""

PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "register": ("register.db", "register.db-wal", "register.db-shm"),
    "mark": ("register.mark",),
    "corpus": ("corpus.lance", "imports"),
    "evidence": ("evidence",),
    "glance": (".corpus.json",),
    "versions": ("versions", "suppression"),
    "pepper": ("keys/pepper.key",),
    "sealing": ("keys/sealing.key",),
    "signing": ("keys/signing.key",),
    "log": ("keys/log.key",),
}
"""What lies in a workspace, as it may be put back piece by piece."""


def text_of(person: str) -> str:
    """What somebody wrote, to be looked for."""
    return f"{person} wrote these very words"


def source() -> list[dict[str, object]]:
    """Everybody's item, and one of gus who quotes each."""
    own = [item(f"forum:{name}", f"forum:{name}", text_of(name)) for name in PEOPLE]
    quotes = [
        item(
            f"forum:on-{name}", "forum:gus", f"> {text_of(name)}!",
            spans=[span(2, 2 + len(text_of(name)), "quote", f"forum:{name}")],
        )
        for name in PEOPLE
    ]  # fmt: skip
    return [*own, *quotes]


def read_all(workspace: Workspace) -> None:
    """Imports the source again."""
    import_items(workspace, "table", [batch(source())])


@dataclass
class Ages:
    """The snapshots of one workspace, and of another one that has nothing to do with it."""

    home: Path
    folders: list[Path] = field(default_factory=list)

    @property
    def foreign(self) -> Path:
        """The other workspace."""
        return self.home / "foreign"

    def put_together(self, root: Path, parts: Mapping[str, "int | str"]) -> Workspace:
        """A workspace at ``root`` of parts, each by its age, "foreign", "missing" or "empty"."""
        shutil.copytree(self.folders[-1], root)
        for part, age in parts.items():
            for name in PARTS[part]:
                _remove(root / name)
                origin = self.foreign if age == "foreign" else self.folders[age] if isinstance(age, int) else None
                if origin is not None and (origin / name).exists():
                    _copy(origin / name, root / name)
            if age == "empty":
                (root / PARTS[part][0]).write_bytes(b"")
        return Workspace(root)


def make(home: Path) -> Ages:
    """The ages, in folders below ``home``."""
    ages = Ages(home)
    now = workspaces.create(home / "now", open_policy())
    for age in range(AGES):
        if age:
            with now.register() as register:
                register.objections.lodge([f"forum:{PEOPLE[age - 1]}"], channel="letter")
        read_all(now)
        if age == AGES - 1:
            erase(now, f"forum:{PEOPLE[age]}")
        publish(now, f"v{age}")
        ages.folders.append(home / f"age {age}")
        shutil.copytree(now.root, ages.folders[-1])
    other = workspaces.create(ages.foreign, open_policy())
    with other.register() as register:
        register.objections.lodge(["forum:ann"], channel="letter")
    read_all(other)
    publish(other, "v9")
    return ages


def objected(age: int) -> set[str]:
    """Who may not be in anything when the register has this age."""
    return set(PEOPLE[: age + (1 if age == AGES - 1 else 0)])


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(origin: Path, to: Path) -> None:
    if origin.is_dir():
        shutil.copytree(origin, to)
    else:
        shutil.copy2(origin, to)
