"""A run that remembers beside its weights forgets at once: rows leave its store before anything else is said of them.

Invariants: most runs have no store, and nothing here concerns them; a store is read only where it was looked at up to
the register's last binding entry, as its own mark says, so that one that was put back from elsewhere forgets again.
"""

from collections.abc import Sequence
from typing import Final

from demur.canonical import canonical_json
from demur.errors import CorpusError
from demur.files import partial, replacing
from demur.identity import SubjectKeys
from demur.runs.folder import ModelFolder
from demur.runs.reading import read_json
from demur.runs.store import Store, state_of

STORE: Final = "store"
"""The folder of a store, in that of its model."""
_MARK: Final = "looked-at.json"


def remembers(model: ModelFolder) -> bool:
    """Whether a model has a store."""
    return (model.path / STORE).is_dir()


def opened(model: ModelFolder) -> Store:
    """The store of a model; to be closed.

    Raises:
        CorpusError: when there is none, or it is damaged.
    """
    return Store(model.path / STORE)


def is_behind(model: ModelFolder, at: tuple[int, str]) -> bool:
    """Whether a model has a store that was not looked at up to an entry: its number and its commitment.

    So it is, too, where another file was put in its place since, as by a restore.
    """
    if not remembers(model):
        return False
    try:
        return (model.path / STORE / _MARK).read_bytes() != _mark(model, at)
    except FileNotFoundError:
        return True


def forget(model: ModelFolder, gone: SubjectKeys, at: tuple[int, str]) -> None:
    """Take everybody out of a model's store who may not be in it, and mark up to which entry that was looked at.

    The mark may be lost in a crash of the machine: then they are looked for again.
    """
    if not remembers(model):
        return
    if len(gone):
        with opened(model) as store:
            store.forget_people(gone)
    _put_mark(model, *at)


def forget_rows(model: ModelFolder, items: Sequence[bytes]) -> None:
    """Take rows out of a model's store, as far as it has one; what was looked at stays so."""
    if not items or not remembers(model):
        return
    try:
        said = read_json(model.path / STORE / _MARK)
    except CorpusError:
        said = {}
    known = said.get("state") == state_of(model.path / STORE)
    with opened(model) as store:
        store.forget(items)
    if known:
        _put_mark(model, int(said["binding"]), str(said["commitment"]))


def _put_mark(model: ModelFolder, number: int, commitment: str) -> None:
    path = model.path / STORE / _MARK
    with replacing(path, partial(path), durably=False) as file:
        file.write_bytes(_mark(model, (number, commitment)))


def _mark(model: ModelFolder, at: tuple[int, str]) -> bytes:
    number, commitment = at
    return canonical_json({"binding": number, "commitment": commitment, "state": state_of(model.path / STORE)})


def has_forgotten(model: ModelFolder) -> bool:
    """Whether a model's store holds less than what the model was made with."""
    if not remembers(model):
        return False
    with opened(model) as store:
        return store.changes > 0
