"""A workspace: one folder with the policy, the keys, the register, the corpus and its versions.

Invariants: a folder is a workspace when it holds ``demur.toml``, which is therefore the last thing that is put
there; what a creation left behind when it was killed is recognised by its staging folder and cleared by the next
one; one process at a time writes, and each worker has a place of its own, held by a lock of the operating system that
ends with the process, however it ends.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from demur.errors import DemurError, RegisterError, UnavailableError, WorkspaceError
from demur.files import exclusive, is_held, make_folder, sync, tighten
from demur.glance import NAME as GLANCE
from demur.glance import take
from demur.identity import Keys
from demur.parts import require_corpus, require_versions
from demur.policy import FILE_NAME, Policy, load_policy, write_policy
from demur.register import Register
from demur.register.continuity.belonging import Renewed
from demur.register.database.mark import NAME as MARK
from demur.register.members.standing import FILE as STANDING
from demur.register.objections.tally import FILE as TALLY
from demur.runs.folder import MODELS
from demur.store import Place, Stored, is_url, place
from demur.transit import FOLDER as TRANSIT

_CORPUS: Final = "corpus.lance"
BESIDE: Final = "evidence"
_STAGING: Final = ".init"
_LOCK: Final = ".lock"
_WORKER: Final = ".worker"
_LEADING: Final = ".worker.leads"
_MOST_WORKERS: Final = 64
_SQLITE: Final = "sqlite:///"
_REGISTER: Final = "register.db"
_PARTS: Final = ("keys", "versions", "outbox")
_OURS: Final = (
    FILE_NAME,
    *_PARTS,
    _CORPUS,
    GLANCE,
    STANDING,
    TALLY,
    MARK,
    _REGISTER,
    f"{_REGISTER}-wal",
    f"{_REGISTER}-shm",
)
"""What a creation puts into the folder, and so what may not stand there before."""
_PRIVATE: Final = (
    *_OURS,
    "suppression",
    "imports",
    "recalls",
    "import.journal",
    "import.scratch",
    TRANSIT,
    BESIDE,
    MODELS,
)
"""What is for its owner alone. The folder itself is the user's where they made it: it may hold other things."""
_logger: Final = logging.getLogger("demur")


@dataclass(frozen=True)
class Workspace:
    """The places in one folder, and how to open what lies there."""

    root: Path
    """The folder; it holds ``demur.toml``."""

    @property
    def policy_path(self) -> Path:
        """``demur.toml``."""
        return self.root / FILE_NAME

    @property
    def keys_path(self) -> Path:
        """The folder of the secrets, mode 0700."""
        return self.root / "keys"

    @property
    def store(self) -> Stored | None:
        """Where the corpus lies, if not in this folder.

        Raises:
            PolicyError: when demur.toml can't be read, or does not hold together.
        """
        said = self.policy().store
        return place(said.url, said.endpoint, said.region, self.root) if said.url else None

    def stored(self, url: str) -> Stored:
        """A place in the store that demur.toml names the address of, whichever bucket it is in.

        Raises:
            UsageError: when the URL is none, or holds more than a place.
            PolicyError: when demur.toml can't be read, or does not hold together.
        """
        said = self.policy().store
        return place(url, said.endpoint, said.region)

    def exported(self, path: str) -> Place:
        """Where an export lies, from the path or address that somebody gives, or that the register holds.

        Raises:
            UsageError, PolicyError: as :meth:`stored`.
        """
        return self.stored(path) if is_url(path) else Path(path)

    @property
    def corpus_place(self) -> Place:
        """The Lance dataset, wherever it lies; it exists after the first import."""
        return (self.store or self.root) / _CORPUS

    @property
    def corpus_path(self) -> Path:
        """The Lance dataset in this folder.

        Raises:
            WorkspaceError: when it lies in a store.
        """
        if (store := self.store) is not None:
            raise WorkspaceError(
                f"The corpus of {self.root} is in {store}: this needs one on a disk (docs/storage.md)."
            )
        return self.root / _CORPUS

    @property
    def beside_place(self) -> Place:
        """What lies beside the corpus, wherever that is: keyed evidence, fingerprints, uncertain finds."""
        return (self.store or self.root) / BESIDE

    @property
    def beside_path(self) -> Path:
        """The folder of the compiled files, which are mapped; and of what lies beside the corpus, if that is here."""
        return self.root / BESIDE

    @property
    def versions_path(self) -> Path:
        """The folder of the manifests."""
        return self.root / "versions"

    @property
    def lists_path(self) -> Path:
        """The folder of the suppression lists that versions were published under."""
        return self.root / "suppression"

    @property
    def recalls_path(self) -> Path:
        """The folder of the lists of rows that holders of exports must remove, of versions that an erasure retired."""
        return self.root / "recalls"

    @property
    def outbox_path(self) -> Path:
        """The embedded mail sink, mode 0700."""
        return self.root / "outbox"

    @property
    def models_path(self) -> Path:
        """The folder of the runs; it exists after the first training."""
        return self.root / MODELS

    @property
    def register_url(self) -> str:
        """The register's URL, a SQLite file's as an absolute path."""
        return _resolved(self.root, self.policy().register_.url)

    @property
    def mark_path(self) -> Path:
        """The mark: how far the register was acknowledged (register/database/mark.py)."""
        return _mark_path(self.root, self.policy())

    def register_url_by(self, policy: Policy) -> str:
        """Where the register lies by a policy that is not in the folder, or not yet."""
        return _resolved(self.root, policy.register_.url)

    def mark_path_by(self, policy: Policy) -> Path:
        """Where the mark lies by such a policy."""
        return _mark_path(self.root, policy)

    def policy(self) -> Policy:
        """What demur.toml says now.

        Raises:
            PolicyError: when it can't be read, or does not hold together.
        """
        return load_policy(self.policy_path)

    def keys(self) -> Keys:
        """The workspace's secrets; the pepper keys names as the policy says that they are compared.

        Raises:
            IdentityError: when one is missing or damaged.
            PolicyError: when demur.toml can't be read, or does not hold together.
        """
        return self.keys_by(self.policy())

    def keys_by(self, policy: Policy) -> Keys:
        """The workspace's secrets under a policy that was read already.

        Raises:
            IdentityError: when one is missing or damaged.
        """
        return _comparing(Keys.load(self.keys_path), policy)

    def register(self) -> Register:
        """The register, open; close it, or use it as a context manager.

        What does not belong together is refused here, before anything is read or written: another key, an older
        register beside a newer mark, version or corpus, a mark that is gone.

        Raises:
            RegisterError: when it is newer than this demur, or older than what it was acknowledged to hold.
            IdentityError: when a key is not the one it was made with.
            UnavailableError: when its database can't be used.
        """
        policy = self.policy()
        keys = self.keys_by(policy)
        url = _resolved(self.root, policy.register_.url)
        register = Register.open(
            url,
            keys,
            _mark_path(self.root, policy),
            requiring=lambda register: self._require_parts(register, keys),
            kept=self.root,
        )
        register.follow_with(lambda: self._move_pointers(register))
        with suppress(RegisterError, UnavailableError):  # it can be read all the same, and whoever writes is told why
            register.open_log(keys)
        return register

    def _move_pointers(self, register: Register) -> None:
        """Move what serves before everybody who objected just now; what can't be moved now serves nothing meanwhile."""
        if not self.models_path.is_dir():
            return
        from demur.runs.following import follow_all  # noqa: PLC0415  # most workspaces have no models

        try:
            follow_all(self.models_path, register, self.policy())
        except DemurError as error:  # what was committed binds all the same
            _logger.warning("The serving pointers did not follow the register: %s", error)

    def renew_mark(self) -> Renewed:
        """Begin a new mark, because the old one is lost or from before a restore; see register/continuity/belonging.py.

        Raises:
            RegisterError: when the mark is there and fits, or notes what the register does not hold.
        """
        policy, keys = self.policy(), self.keys()
        url = _resolved(self.root, policy.register_.url)
        with Register.open(url, keys) as register:
            if register.instance is not None:
                self._require_parts(register, keys)  # what the mark would say, as far as versions and corpus can
        return Register.renew_mark(url, keys, _mark_path(self.root, policy))

    def _require_parts(self, register: Register, keys: Keys) -> None:
        require_versions(register, self.versions_path, keys.signing.public_key())
        if self.models_path.is_dir():
            from demur.runs.belonging import require_models  # noqa: PLC0415  # most workspaces have no models

            require_models(register, self.models_path, keys.signing.public_key())
        corpus = self.corpus_place  # one in a store is looked at when it is opened: an objection waits for no network
        if isinstance(corpus, Path) and (glance := take(self.root, corpus)) is not None:
            require_corpus(register, glance.said, corpus)

    @contextmanager
    def writing(self, command: str) -> Iterator[None]:
        """Hold the workspace's write lock; it does not nest.

        Args:
            command: What is writing, for the process that has to wait: ``import``, and no arguments.

        Raises:
            WorkspaceError: when another process holds it.
        """
        with _exclusive(self.root, command):
            tighten(self.root / name for name in _PRIVATE)  # a workspace of an earlier demur was open to others
            yield

    @contextmanager
    def delivering(self) -> Iterator["WorkersPlace"]:
        """Have one of the places for workers in this folder, the first that is free.

        Raises:
            WorkspaceError: when there is none.
        """
        with ExitStack() as stack:
            for path in self._places():
                # What the last one said stays until this one says its own number: else a kill in between would lose it.
                if stack.enter_context(exclusive(path, None)) is None:
                    yield WorkersPlace(path, _said_of_worker(path), self.root / _LEADING, stack)
                    return
            raise WorkspaceError(f"{_MOST_WORKERS} workers deliver for {self.root} already: end some of them.")

    @property
    def has_worker(self) -> bool:
        """Whether a worker is at work in this folder."""
        return any(is_held(path) for path in self._places())

    def _places(self) -> list[Path]:
        return [self.root / f"{_WORKER}{number or ''}" for number in range(_MOST_WORKERS)]


@dataclass(frozen=True)
class WorkersPlace:
    """The place of one worker in a folder, which ends with its process."""

    _path: Path
    before: int | None
    """The number of the worker that had this place before, and has ended; None if that is not known."""
    _leading: Path
    _stack: ExitStack

    def say(self, number: int) -> None:
        """Note a worker's number, for whoever has the place next; a copy of the folder says nothing."""
        self._path.write_text(json.dumps([number, self._path.stat().st_ino]))

    def leads(self) -> bool:
        """Whether it leads the workers of this folder: one does, until it ends."""
        held = exclusive(self._leading, str(self._path).encode())
        with ExitStack() as attempt:
            other = attempt.enter_context(held)
            if other is None:
                self._stack.push(attempt.pop_all())
            return other is None or other == str(self._path).encode()


def _said_of_worker(path: Path) -> int | None:
    with suppress(OSError, ValueError, TypeError):
        number, file = json.loads(path.read_bytes())
        return int(number) if file == path.stat().st_ino else None
    return None


def find(root: Path) -> Workspace:
    """The workspace in ``root``.

    Raises:
        WorkspaceError: when there is none.
    """
    if not (root / FILE_NAME).exists():
        msg = f"No demur workspace in {root.resolve()}: run `demur init {root}`, or pass another folder with -w."
        raise WorkspaceError(msg)
    return Workspace(root)


def create(root: Path, policy: Policy) -> Workspace:
    """A new workspace in ``root``, which may exist and hold other things; all of it, or nothing.

    Raises:
        WorkspaceError: when ``root`` holds a workspace, or something where a part of one has to go.
        UnavailableError: when the register's database can't be used.
    """
    made = not root.exists()
    empty = root.is_dir() and not any(root.iterdir())
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root} is a file: choose a folder for the workspace.")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if empty:
        tighten([root])
    with _exclusive(root, "init"):
        _refuse_what_is_taken(root)
        try:
            _build(root, policy)
        except BaseException:
            _clear(root)
            if made:
                shutil.rmtree(root, ignore_errors=True)
            raise
    return Workspace(root)


def _refuse_what_is_taken(root: Path) -> None:
    if (root / FILE_NAME).exists():
        raise WorkspaceError(f"{root} is a demur workspace already: choose another folder.")
    if (root / _STAGING).exists():
        _clear(root)
    taken = next((name for name in _OURS if (root / name).exists()), None)
    if taken:
        raise WorkspaceError(f"{root / taken} exists already: move it away, or choose another folder.")


def _build(root: Path, policy: Policy) -> None:
    """Everything but demur.toml is in its place before demur.toml is moved there."""
    staging = root / _STAGING
    make_folder(staging)
    write_policy(policy, staging / FILE_NAME)
    keys = Keys.create(staging / "keys")
    make_folder(staging / "versions")
    make_folder(staging / "outbox")
    for name in _PARTS:
        (staging / name).rename(root / name)
    url, compared = _resolved(root, policy.register_.url), _comparing(keys, policy)
    Register.begin(url, compared, _mark_path(root, policy)).close()
    (staging / FILE_NAME).rename(root / FILE_NAME)
    staging.rmdir()
    sync(root)


def _comparing(keys: Keys, policy: Policy) -> Keys:
    return replace(keys, pepper=replace(keys.pepper, names=policy.accounts.names))


def _clear(root: Path) -> None:
    """Remove what a creation left; nothing of ours stood there before it, or it would have refused."""
    for name in _OURS:
        path = root / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    shutil.rmtree(root / _STAGING, ignore_errors=True)


def _resolved(root: Path, url: str) -> str:
    """A relative SQLite path is relative to the workspace, wherever the command was started."""
    place = url.removeprefix(_SQLITE) or _REGISTER
    if url.startswith(_SQLITE + "/") or (url and not url.startswith(_SQLITE)):
        return url
    return f"{_SQLITE}{quote(str(root.resolve()))}/{place}"  # a folder's name may hold ? or %


def _mark_path(root: Path, policy: Policy) -> Path:
    """A relative path is relative to the workspace, as the register's is."""
    return root / (policy.register_.mark or MARK)


@contextmanager
def _exclusive(root: Path, command: str) -> Iterator[None]:
    said = json.dumps({"pid": os.getpid(), "command": command}).encode()
    with exclusive(root / _LOCK, said) as other:
        if other is not None:
            raise WorkspaceError(_busy(root, other))
        yield


def _busy(root: Path, holder: bytes) -> str:
    who = "Another demur"
    with suppress(ValueError, TypeError, KeyError):  # it may have locked and not yet said who it is
        known = json.loads(holder)
        who = f"Another demur (pid {known['pid']}, `demur {known['command']}`)"
    return f"{who} is writing to {root}: wait for it to finish, then run this again."
