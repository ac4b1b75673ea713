"""Opens a version for loading: in its workspace, or an export of it.

Invariants: what is opened is the version that was published (its manifest's signature holds, and the register, or the
export's signed list, names its digest); nothing is opened whose head can't be read. An export names its own key, which
is good for as much as the way by which it came: who pins the key passes it.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.errors import CheckFailed, CorpusError, UsageError
from demur.loading.loader import Asked, Loader, Opened, wanted
from demur.loading.local import LocalHead
from demur.loading.overlay import Overlay, overlay_of
from demur.loading.remote import RemoteHead, is_url
from demur.loading.rows import ExportRows, Rows, VersionRows
from demur.loading.watching import CHECK_EVERY, MAX_STALENESS, Head, Watch
from demur.policy import FILE_NAME
from demur.store import Place
from demur.store import is_url as is_place
from demur.store import place as stored
from demur.suppression.signed import file_digest, read_bytes
from demur.versions.export import MANIFEST
from demur.versions.filelist import LIST, FileList
from demur.versions.manifest import Manifest, parse
from demur.versions.states import published
from demur.workspace import Workspace, find

REFUSE: Final = "refuse"
LEAVE_OUT: Final = "leave-out"


def load(  # noqa: PLR0913  # all but the first have defaults
    place: str | Path,
    version: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    head: str | Path | None = None,
    key: str | None = None,
    public_key: str | None = None,
    stale: str = REFUSE,
    check_every: timedelta = CHECK_EVERY,
    max_staleness: timedelta = MAX_STALENESS,
) -> Loader:
    """Open a version for training: rows of whoever objected since it was published are not handed out.

    Rows that others wrote and that name or quote such a person are handed out as today's rules leave them, where the
    workspace is at hand; else not at all. The register's head is followed while rows are handed out.

    Args:
        place: the folder of a workspace, or of an export; or an export's place in an object store (``s3://...``), whose
            address is the workspace's if that is the head, else the environment's (``AWS_ENDPOINT_URL``).
        version: which version; not needed for an export.
        columns: those that are wanted, by default all.
        head: for an export: the URL of the portal's API (``https://portal.example/api``), or the workspace's folder.
        key: for a URL: a key of the portal's API with the scope `load`; by default `DEMUR_API_KEY`.
        public_key: what the version must be signed with, 64 hexadecimal digits; by default the workspace's own key,
            or the one that the export names.
        stale: whether to ``"refuse"`` an export that holds rows which may not be used any more, or to ``"leave-out"``
            these rows. What becomes stale while it is read is left out either way.
        check_every: how long after its acknowledgement an objection may still be unknown here.
        max_staleness: for how long the head may be out of reach before loading stops.

    Raises:
        UsageError: when there is no such version, it was retired, or something is lacking that says who objected.
        CorpusError: when its manifest or its files are missing, or were changed.
        CheckFailed: when it is an export that is stale.
        UnavailableError: when the head is out of reach.
        RegisterError, PolicyError: when the head may not be followed.
    """
    if stale not in {REFUSE, LEAVE_OUT}:
        raise UsageError(f"stale is {stale!r}: write {REFUSE!r} or {LEAVE_OUT!r}.")
    asked = Asked(
        place=str(place),
        version=version,
        columns=wanted(columns),
        head=None if head is None else str(head),
        key=key,
        public_key=public_key,
        stale=stale,
        check_every=check_every,
        max_staleness=max_staleness,
    )
    return Loader(asked, opened)


def opened(asked: Asked) -> Opened:
    """What is asked for, open; its head was read.

    Raises:
        UsageError: when there is no such version, it was retired, or something is lacking that says who objected.
        CorpusError: when its manifest or its files are missing, or were changed.
        CheckFailed: when it is an export that holds rows which may not be used any more.
        UnavailableError: when the head is out of reach.
        RegisterError, PolicyError: when the head may not be followed.
    """
    folder: Place
    if is_place(asked.place):
        at_hand = asked.head is not None and not is_url(asked.head)
        folder = find(Path(str(asked.head))).stored(asked.place) if at_hand else stored(asked.place)
    elif ((folder := Path(asked.place)) / FILE_NAME).exists():
        return _version(Workspace(folder), asked)
    if (folder / MANIFEST).exists():
        return _export(folder, asked)
    raise UsageError(
        f"{folder} is neither a workspace (it holds no {FILE_NAME}) nor an export (it holds no {MANIFEST}): name one."
    )


def _version(workspace: Workspace, asked: Asked) -> Opened:
    """A version in its workspace."""
    if asked.version is None:
        raise UsageError(f"Say which version of {workspace.root} to load: `demur versions` lists those there are.")
    if asked.head is not None:
        raise UsageError(f"{workspace.root} is a workspace, whose own register is followed: leave `head` away.")
    path = workspace.versions_path / f"{asked.version}.json"
    _require_published(workspace, asked.version, lambda: file_digest(path), str(path))
    key = workspace.keys().signing.public_key() if asked.public_key is None else public_key(asked.public_key)
    manifest = parse(read_bytes(path), key, where=str(path))
    rows = VersionRows(workspace.corpus_place, manifest.name)
    if rows.count != manifest.content.rows:
        raise CorpusError(
            f"Version {manifest.name} has {rows.count:,} rows, its manifest says {manifest.content.rows:,}:"
            " run demur verify on it."
        )
    return _watched(manifest, rows, _local(workspace, manifest, rows), asked)


def _export(folder: Place, asked: Asked) -> Opened:
    """A version in an export of it."""
    data = read_bytes(folder / MANIFEST)
    key = public_key(asked.public_key) if asked.public_key is not None else _own_key(data, folder)
    manifest = parse(data, key, where=str(folder / MANIFEST))
    if asked.version not in {None, manifest.name}:
        raise UsageError(f"{folder} holds the version {manifest.name}, not {asked.version}: name another folder.")
    digest = hashlib.sha256(data).hexdigest()
    listed = FileList.parse(read_bytes(folder / LIST), key, where=str(folder / LIST))
    if (listed.name, listed.manifest) != (manifest.name, digest):
        raise CorpusError(f"{folder / LIST} is the list of another version than {folder / MANIFEST}: export again.")
    rows = ExportRows(folder, listed.files)
    watched = _watched(manifest, rows, _head_of(folder, asked, manifest, digest, key, rows), asked)
    try:
        _refuse_stale(folder, asked, watched.watch.overlay())
    except CheckFailed:
        watched.watch.close()
        raise
    return watched


def _head_of(  # what an export is, and what says where its head is
    folder: Place, asked: Asked, manifest: Manifest, digest: str, key: Ed25519PublicKey, rows: Rows
) -> Head:
    if asked.head is None:
        raise UsageError(
            f"{folder} is an export, and nothing in it can say who has objected since: pass head='https://PORTAL/api' "
            "and a key of the scope `load`, or head='WORKSPACE'; or load the version from its workspace."
        )
    if is_url(asked.head):
        return RemoteHead(asked.head, asked.key, manifest, digest, key, rows.places_of)
    workspace = find(Path(asked.head))
    _require_published(workspace, manifest.name, lambda: digest, str(folder / MANIFEST))
    return _local(workspace, manifest, rows)


def _local(workspace: Workspace, manifest: Manifest, rows: Rows) -> Head:
    return LocalHead(workspace, manifest.name, lambda parts: overlay_of(parts, rows.places_of))


def _watched(manifest: Manifest, rows: Rows, head: Head, asked: Asked) -> Opened:
    try:
        return Opened(manifest, rows, Watch(head, asked.check_every, asked.max_staleness))
    except BaseException:
        head.close()
        raise


def _require_published(workspace: Workspace, name: str, digest: Callable[[], str], where: str) -> None:
    """Make sure that a register knows the version, and by this manifest."""
    with workspace.register() as register:
        entry = published(register, name)
    if entry.payload["manifest"] != digest():
        raise CorpusError(f"{where} is not the manifest whose digest the register holds: run demur verify on {name}.")


def _refuse_stale(folder: Place, asked: Asked, overlay: Overlay) -> None:
    count = len(overlay.gone) + len(overlay.changed)
    if count and asked.stale == REFUSE:
        raise CheckFailed(
            f"{folder} is stale: {count:,} of its rows may not be used any more, or not as they are; publish and "
            f"export a new version and delete this one, or pass stale={LEAVE_OUT!r} to load the rest."
        )


def public_key(text: str) -> Ed25519PublicKey:
    """A public key from 64 hexadecimal digits.

    Raises:
        UsageError: when it is none.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError:
        raise UsageError(
            "The public key is not 64 hexadecimal digits: copy it from `public_key` in the manifest of a version."
        ) from None


def _own_key(data: bytes, folder: Place) -> Ed25519PublicKey:
    """The key that a manifest names itself."""
    try:
        return public_key(str(orjson.loads(data)["public_key"]))
    except (KeyError, TypeError, ValueError, UsageError):
        raise CorpusError(f"{folder / MANIFEST} is no manifest: export the version again.") from None
