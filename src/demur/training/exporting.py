"""The weights that serve leave: as a folder of Hugging Face, which nothing follows any more.

Invariants: what leaves has seen nobody who has objected by then; it is on record before it stands under its name, so
that a crash leaves an entry too many and never weights of which nobody is told.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from demur.errors import UsageError
from demur.files import make_folder, sync
from demur.runs.entries import note_exported
from demur.suppression.signed import file_digest
from demur.training.model import keep
from demur.training.serving import Loaded, MovedError, serving
from demur.training.together import Ensemble
from demur.training.tokenizer import keep as keep_tokenizer
from demur.workspace import Workspace

_WEIGHTS: Final = "model.safetensors"


@dataclass(frozen=True)
class Exported:
    """What left."""

    model: str
    """``RUN/0001``."""
    weights: str
    """SHA-256 of the weights' file, lowercase hexadecimal, as the register has it."""
    to: Path


def export(workspace: Workspace, name: str, to: Path) -> Exported:
    """Write what serves of a run to a new folder: averaged weights, adapters merged, with settings and tokenizer.

    Args:
        workspace: of the run.
        name: of the run.
        to: the folder, which must not be there.

    Raises:
        UsageError: when there is no such run of demur's own, it remembers beside its weights, or the folder is there.
        OSError: when it can't be made.
        CheckFailed, CorpusError, UnavailableError: when nothing of the run may serve, or it can't be told what may.
    """
    if to.exists():
        raise UsageError(f"{to} is there already: choose another folder with --to.")
    with serving(workspace, name) as model, workspace.register() as register:
        loaded = model.loaded()
        if loaded.remembered is not None:
            raise UsageError(
                f"What {name} answers with is its base and a store of rows beside it: that is no folder of weights, "
                "and stays here: export a run that was trained, or take the base from where it came."
            )
        if isinstance(loaded.network, Ensemble):
            raise UsageError(
                f"{name} answers by the mean of its cohorts' probabilities, which is no folder of weights: export one "
                "of them, or train a family without `ensemble`."
            )
        staging = to.absolute().with_name(f".{to.absolute().name}.unfinished")
        shutil.rmtree(staging, ignore_errors=True)
        try:
            weights = _write(loaded, model.runs[0].tokenizer, staging)
            if not model.may_leave(loaded):
                raise MovedError(f"Somebody objected whose rows this model of {name} had seen: export it again.")
            for run, (number, _) in zip(model.runs, loaded.at, strict=True):
                note_exported(register, run.model(number), weights=weights, to=str(to.absolute()))
            staging.rename(to)
            sync(to.absolute().parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return Exported(loaded.name, weights, to)


def _write(loaded: Loaded, tokenizer: Path, folder: Path) -> str:
    """Put a checkpoint down as a folder; the SHA-256 of its weights."""
    network: Any = loaded.network
    if hasattr(network, "merge_and_unload"):
        network = network.merge_and_unload()
    make_folder(folder)
    keep(network, folder, weights=True)
    keep_tokenizer(tokenizer, folder)
    return file_digest(folder / _WEIGHTS)
