"""The checkpoints of a model: the state after a number of steps, whole or not there.

::

    checkpoints/STEP/  weights.safetensors  moments.safetensors  ema.safetensors  state.json

Invariants: a checkpoint stands under its number once all of it is on disk; it is used only after its files were found
to be what was written, and then copied, never shared; a file that was changed is named.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import orjson

from demur.canonical import canonical_json
from demur.errors import CheckFailed, CorpusError
from demur.files import make_folder, sync, write_durably
from demur.runs.folder import ModelFolder
from demur.suppression.signed import file_digest
from demur.training.state import State, Tensors

PARTS: Final = ("weights", "moments", "ema")
_STATE: Final = "state.json"
_FORMAT: Final = 1


@dataclass(frozen=True)
class Saved:
    """What ``state.json`` says."""

    step: int
    """Steps whose rows it has seen."""
    tokens: int
    """Of these rows."""
    chain: bytes
    """Of the log, after these steps."""
    weights: str
    """SHA-256 of the file, lowercase hexadecimal; so the next two."""
    moments: str
    ema: str

    def to_bytes(self) -> bytes:
        """The content of the file."""
        return canonical_json(vars(self) | {"chain": self.chain.hex(), "format": _FORMAT})

    @classmethod
    def of(cls, data: bytes) -> Self:
        """What :meth:`to_bytes` said.

        Raises:
            KeyError, TypeError, ValueError: when it is malformed.
        """
        said = orjson.loads(data)
        hashes = {name: str(said[name]) for name in PARTS}
        return cls(int(said["step"]), int(said["tokens"]), bytes.fromhex(said["chain"]), **hashes)


class Checkpoints:
    """The checkpoints of one model."""

    def __init__(self, model: ModelFolder) -> None:
        self._model = model

    def save(self, step: int, state: State, *, tokens: int, chain: bytes) -> Saved:
        """Put down the state after ``step`` steps, in the place of what stands there.

        Args:
            step: its number.
            state: what is kept.
            tokens: that it has seen.
            chain: of the log, whose records up to it are on disk.
        """
        make_folder(self._model.checkpoints)
        place = self._model.checkpoint(step)
        staging = place.with_name(f".{step}")
        shutil.rmtree(staging, ignore_errors=True)
        try:
            make_folder(staging)
            hashes = {name: _write(tensors, _file(staging, name)) for name, tensors in state.parts().items()}
            saved = Saved(step, tokens, chain, **hashes)
            write_durably(staging / _STATE, saved.to_bytes())
            if place.exists():
                shutil.rmtree(place)
            staging.rename(place)
            sync(place.parent)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        return saved

    def saved(self, step: int) -> Saved:
        """What a checkpoint says of itself.

        Raises:
            CheckFailed: when it is not there, or can't be read.
        """
        path = self._model.checkpoint(step) / _STATE
        try:
            found = Saved.of(path.read_bytes())
        except OSError as error:
            raise CheckFailed(f"The checkpoint {path.parent} can't be read ({error.strerror}): {_AGAIN}") from None
        except (KeyError, TypeError, ValueError):
            found = None
        if found is None or found.step != step:
            raise CheckFailed(f"{path} is damaged: {_AGAIN}")
        return found

    def verify(self, step: int) -> Saved:
        """What a checkpoint says of itself, its files found to be what was written.

        Raises:
            CheckFailed: naming the file that was changed.
        """
        saved = self.saved(step)
        for name in PARTS:
            path = _file(self._model.checkpoint(step), name)
            try:
                same = file_digest(path) == getattr(saved, name)
            except CorpusError as error:
                raise CheckFailed(str(error)) from None
            if not same:
                raise CheckFailed(f"{path} was changed or is damaged: {_AGAIN}")
        return saved

    def load(self, step: int, state: State) -> Saved:
        """Take a state on, by value.

        Args:
            step: of the checkpoint.
            state: of the same network, which takes it on.

        Raises:
            CheckFailed: when the checkpoint was changed, or is of another network.
        """
        saved = self.verify(step)
        folder = self._model.checkpoint(step)
        try:
            state.put({name: read_tensors(_file(folder, name)) for name in PARTS})
        except (KeyError, RuntimeError):
            raise CheckFailed(f"The checkpoint {folder} is of another network than the run's: {_AGAIN}") from None
        return saved


def read_tensors(path: Path) -> dict[str, Any]:
    """The tensors of a file, as torch has them."""
    from safetensors.torch import load_file  # noqa: PLC0415  # see the package's docstring

    found: dict[str, Any] = load_file(path)
    return found


_AGAIN: Final = "begin from an earlier checkpoint, put it back from your backup, or train the run again."


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.safetensors"


def _write(tensors: Tensors, path: Path) -> str:
    """Put tensors into a new file, durably; its SHA-256."""
    from safetensors.torch import save_file  # noqa: PLC0415  # see the package's docstring

    path.touch(0o600)
    save_file({name: each.detach().cpu().contiguous() for name, each in tensors.items()}, path)
    sync(path)
    return file_digest(path)
