"""``demur backup``: a consistent copy of a workspace, while servers run.

Invariants: corpus and versions are copied under the workspace's lock, so that nothing changes them meanwhile; the
register is copied after them, so that it is never behind what they say; objections are lodged all the while, and those
that came after the register's copy are in the mark's journal. A backup stands under its name whole or not at all; only
then the mark's journal begins anew, at the copy's end: a kill at any moment leaves the old journal, or a new one and
the whole backup it goes with. Finished models are copied, and what is still trained or replayed is not.

A corpus in an object store is copied from there, whole and under the same lock: its backup is that of one on a disk.

Files are copied, never linked: a copy that shares its blocks with what it is a copy of is lost with it. What waits in
the outbox is not in a backup: mails are sent once, and tell people what they may find in the register anyhow. Nor are
caches beside the corpus, which hold what went for a while, and which whoever reads replaces meanwhile.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from demur import glance
from demur.backup import container, keysafe
from demur.backup.container import INNER, MARK, Listed, Writer
from demur.corpus.caches import is_cache
from demur.corpus.session import Session, writing
from demur.errors import WorkspaceError
from demur.files import disk_full, partial, sync
from demur.policy import FILE_NAME
from demur.register.continuity import copying
from demur.register.database.mark import Point
from demur.runs.facts import ModelState, read_facts
from demur.runs.folder import MODELS, ModelFolder, RunFolder, runs_in
from demur.runs.forgetting import STORE
from demur.runs.pointer import read_pointer
from demur.runs.store import state_of
from demur.store import Place, Stored
from demur.versions.manifest import software
from demur.workspace import BESIDE, Workspace

_TREES: Final = ("versions", "suppression", "imports", "recalls")
_ROUNDS: Final = 3
_ROOM: Final = 16 << 20
"""Bytes that should be left besides: lists, keys, and what the register takes up meanwhile."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made."""

    path: Path
    entries: int
    """The register's last entry in it."""
    files: int
    bytes: int
    keys: bool
    """Whether the keys are in it, encrypted."""


def back_up(workspace: Workspace, to: Path, passphrase: str | None, *, now: datetime | None = None) -> Backup:
    """Back a workspace up into the new folder ``to``.

    Args:
        workspace: it may be in use; commands that change the corpus wait, or are told to.
        to: a folder that is not there, or empty.
        passphrase: encrypts the keys; None leaves them out.
        now: this moment.

    Raises:
        WorkspaceError: when ``to`` is taken or lies in the workspace, there is no room, or another process writes.
        RegisterError: when the register can't be copied.
        UnavailableError: when the corpus lies in a store that refuses, or does not answer.
    """
    _refuse_taken(workspace, to)
    with writing(workspace, "backup", now) as session:
        _require_room(session, to)
        unfinished = partial(to)
        shutil.rmtree(unfinished, ignore_errors=True)  # of one that was cut off
        try:
            unfinished.mkdir(mode=0o700)
            listed = _fill(session, unfinished, passphrase)
            container.sync_folders(unfinished)
            unfinished.replace(to)
            sync(to.parent)
        except OSError as error:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise WorkspaceError(_failed(to, error)) from None
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        session.register.begin_journal(listed.end)
    return Backup(to, listed.end.seq, len(listed.files), listed.bytes, keysafe.NAME in listed.files)


def _refuse_taken(workspace: Workspace, to: Path) -> None:
    if to.resolve().is_relative_to(workspace.root.resolve()):
        raise WorkspaceError(f"{to} lies in the workspace, and would be lost with it: name a folder on another disk.")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise WorkspaceError(f"{to} exists already: name a new folder for each backup.")
    if not to.parent.is_dir():
        raise WorkspaceError(f"{to.parent} does not exist: make it, or name another folder.")


def _require_room(session: Session, to: Path) -> None:
    workspace = session.workspace
    trees = (workspace.corpus_place, *(workspace.root / name for name in (*_TREES, BESIDE, MODELS)))
    needed = sum(_size(tree) for tree in trees) + (0 if workspace.store is None else _size(workspace.beside_place))
    needed += copying.size(workspace.register_url) + _ROOM
    free = shutil.disk_usage(to.parent).free
    if free < needed:
        raise WorkspaceError(
            f"A backup takes about {needed >> 20:,} MiB, and {to.parent} has {free >> 20:,} MiB left: make room, or "
            "name another disk."
        )


def _size(tree: Place) -> int:
    """Bytes of all files below a folder, or of all objects below a place in a store."""
    if isinstance(tree, Stored):
        return sum(stat.st_size for _, stat in tree.objects())
    return sum(path.stat().st_size for path in tree.rglob("*") if path.is_file())


def _fill(session: Session, folder: Path, passphrase: str | None) -> Listed:
    """Copies everything into the folder; the signed list last."""
    workspace, writer = session.workspace, Writer(folder)
    session.keep_glance()
    writer.copy(workspace.policy_path, f"{INNER}/{FILE_NAME}")
    writer.copy_tree(workspace.corpus_place, f"{INNER}/{workspace.corpus_place.name}")
    for name in _TREES:
        writer.copy_tree(workspace.root / name, f"{INNER}/{name}")
    writer.copy_tree(workspace.beside_path, f"{INNER}/{BESIDE}", leave=is_cache)
    if workspace.store is not None:  # what lies beside the corpus does so there
        writer.copy_tree(workspace.beside_place, f"{INNER}/{workspace.beside_place.name}")
    for run in runs_in(workspace.models_path):
        _copy_run(writer, run)
    for path in (workspace.root / glance.NAME, *_named(session)):
        if path.is_file():
            writer.copy(path, f"{INNER}/{path.relative_to(workspace.root).as_posix()}")
    if passphrase is not None:
        writer.put(keysafe.lock(keysafe.read_secrets(workspace.keys_path), passphrase), keysafe.NAME)
    name, end = _copy_register(session, writer)
    writer.copy(workspace.mark_path, MARK)
    listed = _listed(session, writer, name, end)
    listed.write(folder, session.keys)
    return listed


def _copy_run(writer: Writer, run: RunFolder) -> None:
    """Copy a run with its finished models; training and replay go on meanwhile, and what is under way is left out.

    Raises:
        WorkspaceError: when models are replaced faster than they can be copied.
    """
    if all(_is_under_way(model) for model in run.models()):
        return
    copied = RunFolder(writer.folder / INNER / MODELS, run.name)
    for _ in range(_ROUNDS):
        before, remembered = dict(writer.files), _remembered(run)
        try:
            for path in sorted(each for each in run.path.iterdir() if each.name[0] != "."):
                if path.is_file():
                    writer.copy(path, f"{INNER}/{MODELS}/{run.name}/{path.name}")
                elif not _is_under_way(run.model(path.name)):
                    writer.copy_tree(path, f"{INNER}/{MODELS}/{run.name}/{path.name}")
            pointer = read_pointer(copied)
            if pointer is not None:
                copied.model(pointer.model).facts.stat()
            same = _remembered(run) == remembered
        except FileNotFoundError:
            same = False
        if same:
            return
        shutil.rmtree(copied.path)  # a replay took its place, or it forgot: the newer one is copied
        writer.files = before
    raise WorkspaceError(f"The run {run.name} changes while it is copied: wait for its replay, and back up again.")


def _remembered(run: RunFolder) -> list[str]:
    """What changes where a run forgets something that it remembers beside its weights."""
    return [state_of(model.path / STORE) for model in run.models()]


def _is_under_way(folder: ModelFolder) -> bool:
    """Whether a folder of a run is a model that is not finished."""
    if not folder.number.isdecimal():
        return False
    return not folder.facts.exists() or read_facts(folder).state is ModelState.RUNNING


def _copy_register(session: Session, writer: Writer) -> tuple[str, Point]:
    name, end = copying.copy(session.workspace.register_url, writer.folder)
    writer.take(name)
    session.register.require_point(end, f"the backup {writer.folder}")
    return name, end


def _listed(session: Session, writer: Writer, register: str, end: Point) -> Listed:
    instance = session.register.instance
    assert instance is not None  # see Workspace.register
    versions = ", ".join(f"{name} {version}" for name, version in sorted(software().items()))
    time = container.stamp(datetime.now(UTC))
    return Listed(instance.id, instance.incarnation, register, end, time, versions, writer.files)


def _named(session: Session) -> list[Path]:
    """The platform's public key and the list of witnesses, where they lie in the workspace, and not among the keys."""
    root, found = session.workspace.root.resolve(), []
    for named in (session.policy.portal.platform_key, session.policy.log.witnesses):
        path = (session.workspace.root / named).resolve()
        if named and path.is_relative_to(root) and not path.is_relative_to(root / "keys"):
            found.append(session.workspace.root / path.relative_to(root))
    return found


def _failed(to: Path, error: OSError) -> str:
    if disk_full(error):
        return f"There is no room left for the backup in {to.parent}: make room, or name another disk."
    return f"The backup {to} can't be written ({error.strerror or error}): see to it, or name another folder."
