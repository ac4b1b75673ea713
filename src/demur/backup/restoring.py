"""``demur restore``: a workspace out of a backup and the mark that outlived it.

Invariants: everything is built aside, in a folder of its own within the workspace's, and checked file by file against
the signed list; what the mark's journal holds beyond the backup is done again, erasures down to the bytes; a new
incarnation begins, so that what was left behind is refused where the two meet. Then the parts are moved into place,
demur.toml last: a kill before leaves a folder that is no workspace, and the same command goes on from there. Nothing
is ever overwritten but the mark, which is kept beside under the name of its incarnation.

The new mark begins its journal at the backup's end, as the old one did, so that a second loss is restored from the same
backup.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from demur.backup import container, journals, keysafe, placing
from demur.backup.container import INNER, Listed
from demur.backup.journals import Journals
from demur.corpus import journal as imports
from demur.corpus.datasets.corpus import Corpus
from demur.corpus.datasets.evidence import Beside
from demur.corpus.honour import honour_in
from demur.corpus.journal import remove_leavings
from demur.corpus.session import Session
from demur.errors import RegisterError, WorkspaceError
from demur.files import disk_full, partial, sync, write_durably
from demur.identity import Keys
from demur.objecting.channels import Route
from demur.policy import FILE_NAME, Policy
from demur.register import JSON, Erasure, Register
from demur.register.continuity import copying, loss
from demur.register.continuity.replay import Replayed
from demur.register.database import logkeys
from demur.register.database.mark import NAME as MARK
from demur.register.database.mark import Mark
from demur.rights.erasing import finish_in
from demur.runs.following import follow_all
from demur.terms import EntryKind
from demur.workspace import Workspace

_STAGING: Final = ".restore"
_READY: Final = "ready.json"
"""In the staging folder once everything in it is whole: only moving is left."""


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    path: Path
    backup: int
    """The last entry of the register in the backup."""
    incarnation: int
    replayed: Mapping[str, int]
    """Entries that were done again, by kind."""
    lost: Mapping[str, int]
    """Entries that could not, by kind, as far as the marks tell."""
    versions: Sequence[str]
    """Versions that were published since, and are gone."""
    missing: int | None
    """Entries of which nothing is known; None without a mark."""
    loss: str
    """What publishing waits for, in one sentence; "" where nothing is lost that it waits for."""
    marks: Sequence[Path]
    """What was read."""
    deleted: int
    """Rows of the restored corpus that may not be used any more."""
    erased: int
    """Erasures that were done again."""


@dataclass(frozen=True)
class Source:
    """Where a restore takes things from."""

    backup: Path
    passphrase: str | None = None
    keys: Path | None = None
    """A folder of keys, for a backup that has none."""
    marks: Sequence[Path] = ()
    """Besides the one that demur.toml names, if that is there."""
    register: str | None = None
    """Another URL than demur.toml's for the register."""
    store: str | None = None
    """Another place than demur.toml's for the corpus; "" for the workspace's folder."""


def restore(source: Source, root: Path, *, now: datetime | None = None) -> Restored:
    """Restore a backup into ``root``, which must not be there, or be empty.

    Raises:
        WorkspaceError: when something stands there, or the backup is cut short or was changed.
        RegisterError: when the register's place is taken, or a mark does not go with the backup.
        IdentityError: when the keys can't be had.
        PolicyError: when the demur.toml of the backup, with what was named instead, does not hold together.
        UnavailableError: when the corpus belongs into a store that refuses, or does not answer.
    """
    _refuse_taken(root)
    made = not root.exists()
    root.mkdir(parents=True, mode=0o700, exist_ok=True)
    with _told(root), Workspace(root).writing("restore"):
        staging = root / _STAGING
        if not (staging / _READY).is_file():
            shutil.rmtree(staging, ignore_errors=True)  # of one that was cut off
            try:
                _build(source, root, staging, now or datetime.now(UTC))
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                if made:
                    shutil.rmtree(root, ignore_errors=True)
                raise
        return _put_in_place(source, root, staging)


def _refuse_taken(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root} is a file: choose a folder for the workspace.")
    if (root / _STAGING / _READY).is_file():
        return  # one that was cut off while its parts were moved into place
    if (root / FILE_NAME).exists():
        raise WorkspaceError(
            f"{root} is a demur workspace already: a restore overwrites nothing; choose another folder."
        )
    others = [path.name for path in root.iterdir() if path.name not in {_STAGING, ".lock"}] if root.is_dir() else []
    if others:
        raise WorkspaceError(f"{root} is not empty ({min(others)}): choose a folder that is, or that is not there yet.")


@contextmanager
def _told(root: Path) -> Iterator[None]:
    """Says in one sentence what the system refuses."""
    try:
        yield
    except OSError as error:
        if disk_full(error):
            raise WorkspaceError(
                f"There is no room left for {root}: make room, and run the same command again."
            ) from None
        raise WorkspaceError(f"{root} can't be written ({error.strerror or error}): see to it and try again.") from None


# Building it aside


@dataclass(frozen=True)
class _Building:
    """What a restore knows once the backup lies in the staging folder."""

    staging: Path
    listed: Listed
    keys: Keys
    policy: Policy
    url: str
    """Of the register while it is built."""
    journals: Journals
    now: datetime


def _build(source: Source, root: Path, staging: Path, now: datetime) -> None:
    """A whole workspace in the staging folder, and what is left to be done with it."""
    staging.mkdir(mode=0o700)
    keys = _take_keys(source, staging)
    listed = Listed.read(source.backup, keys.signing.public_key())
    _require_room(listed, root)
    for name in listed.files:
        inner = name.removeprefix(f"{INNER}/")
        if inner != name:
            container.put_back(source.backup, listed, name, staging / inner, staging)
    for folder in ("versions", "outbox"):
        (staging / folder).mkdir(mode=0o700, exist_ok=True)
    workspace = Workspace(staging)
    for section, url in (("register", source.register), ("store", source.store)):
        if url is not None:
            _name(workspace.policy_path, section, url)
    if (store := workspace.store) is not None:
        placing.require_free(store)
    final_policy = workspace.policy_path.read_bytes()
    if store is not None:  # it is built on the disk, and sent there once it is whole
        _name(workspace.policy_path, "store", "")
    policy = workspace.policy()
    final = Workspace(root).register_url_by(policy)
    url = _place_register(source, listed, staging, final)
    paths = _marks(source, root, policy)
    with _plainly(url, keys) as register:
        journal = journals.read(paths, keys, listed, lambda seq: register.point(seq).commitment or _none(seq))
    done = _replay(_Building(staging, listed, keys, policy, url, journal, now))
    workspace.policy_path.write_bytes(final_policy)
    ready = {
        "backup": container.document_of(source.backup)["signature"],
        "file": None if (path := copying.place(final)) is None else str(path),
        "mark": str(Workspace(root).mark_path_by(policy).resolve()),
        "done": done | {"marks": [str(path) for path in paths]},
    }
    container.sync_folders(staging)
    write_durably(staging / _READY, json.dumps(ready).encode())


def _none(seq: int) -> bytes | None:
    return b"" if seq == 0 else None


def _take_keys(source: Source, staging: Path) -> Keys:
    """The keys, from the backup or from a folder, in the staging folder."""
    sealed = source.backup / keysafe.NAME
    if not (source.backup / container.LIST).is_file():
        container.document_of(source.backup)  # says what is the matter
    if source.keys is not None:
        secrets = keysafe.read_secrets(source.keys)
    elif not sealed.is_file():
        raise WorkspaceError(f"{source.backup} holds no keys: name the folder that does with --keys.")
    elif source.passphrase is None:
        raise WorkspaceError(
            f"The keys in {sealed} are encrypted: give the passphrase ({keysafe.VARIABLE}, --passphrase-file), or name "
            "a folder of keys with --keys."
        )
    else:
        secrets = keysafe.unlock(sealed.read_bytes(), source.passphrase, sealed)
    keysafe.write_secrets(secrets, staging / "keys")
    return Keys.load(staging / "keys")


def _require_room(listed: Listed, root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < listed.bytes:
        raise WorkspaceError(
            f"The backup takes {listed.bytes >> 20:,} MiB, and {root} has {free >> 20:,} MiB left: make room, or "
            "choose another disk."
        )


def _name(policy: Path, wanted: str, url: str) -> None:
    """Put another place of the register or the corpus into the demur.toml that is restored; change nothing else."""
    lines = policy.read_text("utf-8").splitlines(keepends=True)
    section, found = "", False
    for place, line in enumerate(lines):
        if line.startswith("["):
            section = line.strip()
        elif section == f"[{wanted}]" and line.split("=")[0].strip() == "url":
            lines[place], found = f"url = {json.dumps(url)}\n", True
    if not found:
        raise WorkspaceError(f"The demur.toml of the backup has no line for {wanted}.url: leave --{wanted} out.")
    policy.write_text("".join(lines), "utf-8")


def _place_register(source: Source, listed: Listed, staging: Path, final: str) -> str:
    """Put the register's copy where it is built; its URL there."""
    path = copying.place(final)
    kind = copying.DUMP if path is None else copying.SQLITE
    if listed.register != kind:
        raise RegisterError(
            f"The backup holds a register of another database ({listed.register}): name a place of its kind with "
            "--register."
        )
    if path is not None and path.exists():
        raise RegisterError(
            f"{path} exists already: a restore overwrites nothing; move it away, or name another place."
        )
    copied = staging / kind
    container.put_back(source.backup, listed, kind, copied, staging)
    if path is not None:
        return copying.url_of(copied)
    copying.put_back(copied, final, listed.instance, listed.end)
    copied.unlink()
    return final


def _marks(source: Source, root: Path, policy: Policy) -> list[Path]:
    """The marks to be read: the one that demur.toml names, if it is there, and those that were given."""
    for path in source.marks:
        if not path.is_file():
            raise RegisterError(f"There is no mark at {path}: name the file, or leave --mark out.")
    own = Workspace(root).mark_path_by(policy)
    return list({path.resolve(): path for path in (*([own] if own.is_file() else ()), *source.marks)}.values())


@contextmanager
def _plainly(url: str, keys: Keys) -> Iterator[Register]:
    """A register that is being built, without a mark."""
    with Register.open(url, keys) as register:
        yield register


def _replay(building: _Building) -> dict[str, JSON]:
    """Do again what the journal holds, begin the incarnation, and put it on record; what is to be told."""
    listed, keys = building.listed, building.keys
    with _plainly(building.url, keys) as register:
        known = register.instance
        if known is None or known.id != listed.instance or register.point(listed.end.seq) != listed.end:
            raise RegisterError(
                f"{listed.register} of the backup is not the register that its list names: take another."
            )
        known.but_log().require(keys, "the backup")  # the log begins anew, by whichever key is at hand
        instance = journals.next_instance(known, listed, building.journals)
        if keys.log is not None and logkeys.find_in(keys.folder)(known) is None:
            instance = instance.with_log(keys)  # it was rotated since the backup, or the folder is of before
        register.begin_restore(instance)
    place = building.staging / MARK
    Mark.prepare(place, keys, instance, listed.end).establish()
    with Register.open(building.url, keys, place) as register:
        register.open_log(keys)
        journal = building.journals
        again = journal.replayable()
        held = listed.end.seq
        done = register.replay(again, journal.incarnation, Route.ERASURE, unknown=journal.unknown, held=held)
        corpus = Corpus.ensure(building.staging / "corpus.lance")
        beside = Beside.ensure(Workspace(building.staging).beside_path)
        beside.belong(instance.id, instance.incarnation)
        corpus.say(replace(corpus.said(), instance=instance.id, incarnation=instance.incarnation))
        session = Session(
            Workspace(building.staging), building.policy, keys, register, lambda: corpus, lambda: beside, building.now
        )
        before = corpus.count()
        remove_leavings(session.workspace, corpus, register)
        erased = _erase(session, done)  # first, as it tells what there is of whom, and honours then
        honour_in(session)
        follow_all(session.workspace.models_path, register, building.policy, now=building.now)
        payload = _payload(building, register, instance.incarnation, done)
        register.finish_restore(payload, now=building.now)
        session.keep_glance()
        register.persons.scrub()
        undecided = loss.undecided(register.log)
        return {
            "backup": listed.end.seq,
            "incarnation": instance.incarnation,
            "replayed": payload["replayed"],
            "lost": payload["lost"],
            "versions": payload["versions"],
            "missing": building.journals.missing,
            "loss": undecided.sentence if undecided else "",
            "deleted": before - corpus.count(),
            "erased": erased,
        }


def _erase(session: Session, done: Replayed) -> int:
    """Finish the erasures of the journal, beyond the register; how many."""
    persons = session.register.persons
    for each in done.erasures:
        keys = each.keys.tolist()
        standing = [objection.state.reference for objection in persons.objections(each.keys) if objection.whole]
        reference = standing[-1] if standing else ""
        persons.note(Erasure(keys[0], reference, keys=keys if each.seq else (), replayed=each.seq))
    return len(finish_in(session))


def _payload(building: _Building, register: Register, incarnation: int, done: Replayed) -> dict[str, JSON]:
    """What the entry of the restore says."""
    journal = building.journals
    told = list(journal.told())
    again = loss.after_backup(told, journal.others, unknown=journal.unknown)
    lost = Counter(journal.others) + done.lost + Counter(kind.value for kind, _ in told)
    lost.pop(EntryKind.LOG_OPENED.value, None)  # the log that it began is over: another one is opened
    versions = [str(said["name"]) for kind, said in told if kind is EntryKind.VERSION_PUBLISHED]
    facts = again.facts()
    facts.pop("unknown")
    return {
        "again": facts,
        "backup": building.listed.end.seq,
        "imports": max(imports.finished(register), default=0),
        "incarnation": incarnation,
        "loss": loss.UNKNOWN if again.unknown else loss.KNOWN,
        "lost": dict(sorted(lost.items())),
        "marks": [[point.seq, point.commitment.hex()] for point in journal.marks],
        "missing": journal.missing,
        "replayed": dict(sorted(done.counts.items())),
        "versions": versions,
    }


# Putting it in place


def _put_in_place(source: Source, root: Path, staging: Path) -> Restored:
    """Move everything to where it belongs, demur.toml last; each step may be done again."""
    ready = json.loads((staging / _READY).read_bytes())
    if ready["backup"] != container.document_of(source.backup)["signature"]:
        raise WorkspaceError(
            f"A restore of another backup into {root} was cut off: run that one again, or choose another folder."
        )
    if ready["file"] is not None and (staging / copying.SQLITE).exists():
        _move(staging / copying.SQLITE, Path(ready["file"]))
    if (staging / MARK).exists():
        _move_mark(staging / MARK, Path(ready["mark"]))
    placing.send(staging, root)
    last = {FILE_NAME, _READY, placing.SENDING}
    for path in sorted(staging.iterdir()):
        if path.name not in last:
            path.replace(root / path.name)
    sync(root)
    if (staging / FILE_NAME).exists():
        (staging / FILE_NAME).replace(root / FILE_NAME)
        sync(root)
    shutil.rmtree(staging)
    done = ready["done"]
    return Restored(path=root, **done | {"marks": [Path(path) for path in done["marks"]]})


def _move(source: Path, to: Path) -> None:
    """Move a file, to another disk if need be: under its name it is whole."""
    if source.stat().st_dev == to.parent.stat().st_dev:
        source.replace(to)
    else:
        beside = partial(to)
        beside.unlink(missing_ok=True)
        container.copy(source, beside)
        beside.replace(to)
        source.unlink()
    sync(to.parent)


def _move_mark(source: Path, to: Path) -> None:
    """Put the new mark in its place; the old one stays beside it, as ``register.mark.before-2``."""
    incarnation = json.loads(source.read_bytes().split(b"\n", 1)[0])["signed"]["incarnation"]
    aside = to.with_name(f"{to.name}.before-{incarnation}")
    if to.exists() and not aside.exists():
        os.link(to, aside)
    _move(source, to)
