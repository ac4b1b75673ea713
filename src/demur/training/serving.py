"""What answers for a run: the checkpoint that its pointer names, with the weights that are served, and no other.

Invariants: before each text that leaves, the register's head is asked (`runs.following.current`), so that no text of a
checkpoint leaves once an objection of somebody whose rows it has seen was acknowledged; past the allowed staleness of
the head nothing leaves (law 4). What was begun on a checkpoint that may still serve is finished on it, also where the
pointer has moved on; what was begun on one that may not is begun again, or cut where some of it has left already. While
the next checkpoint is loaded, one that may still serve answers: nothing goes dark. Where the guard stands at the door,
what leaves was searched by what is known of withheld people at the head by which it leaves.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib import import_module
from typing import Any, Final

from demur.errors import CheckFailed, UnavailableError
from demur.extras import need
from demur.loading.watching import MAX_STALENESS, now
from demur.policy import WatchedPolicy
from demur.register import Register
from demur.runs.folder import RunFolder, answering
from demur.runs.following import current
from demur.runs.pointer import Pointer
from demur.suppression.signed import file_digest
from demur.training.checkpoints import Checkpoints, read_tensors
from demur.training.environment import NEEDS
from demur.training.generating import Generation, Sampling
from demur.training.guard.following import Followed
from demur.training.guard.passing import Passing
from demur.training.model import trainable
from demur.training.remembered import Remembered
from demur.training.run import Run
from demur.training.together import together
from demur.training.tokenizer import Tokenizer
from demur.workspace import Workspace

_ATTEMPTS: Final = 3
"""How often a text is begun before whoever asked is told to come back."""
_EMA: Final = "ema.safetensors"
_AGAIN: Final = "put it back from your backup, or replay the run."


class MovedError(UnavailableError):
    """Somebody objected whose rows the checkpoint had seen that a text was being drawn from."""


@dataclass(eq=False)
class Loaded:
    """A checkpoint in memory."""

    name: str
    """``RUN/0001``. Which checkpoint it is stays here: of a single person it would tell how much they wrote."""
    at: tuple["Place", ...]
    """Model and checkpoint of each run that answers, as their pointers have them."""
    network: Any = field(repr=False)
    """Of transformers; it drops nothing."""
    tokenizer: Tokenizer = field(repr=False)
    remembered: Remembered | None = field(repr=False)
    """What is read beside the weights."""
    clean_by: tuple[int, str]
    """The last binding entry by which it was found to have seen nobody who may not be in it, and its commitment."""


Place = tuple[str, int]
"""A model's four digits, and a checkpoint."""
Pointers = tuple[Pointer, ...]
"""Those of the runs that answer together, all of which stand by one entry."""


class Head:
    """Where pointers of runs stand by the register's head, asked each time; safe to use from several threads."""

    def __init__(
        self,
        workspace: Workspace,
        runs: Sequence[RunFolder],
        max_staleness: timedelta = MAX_STALENESS,
        clock: Callable[[], float] = now,
    ) -> None:
        """Ask the register of ``workspace`` for the pointers of ``runs``; an answer holds for so long at most."""
        self._workspace, self._runs = workspace, runs
        self._most, self._clock = max_staleness.total_seconds(), clock
        self._policy = WatchedPolicy(workspace.policy_path)
        self._lock = threading.Lock()
        self._register: Register | None = None
        self._file: os.stat_result | None = None
        self._known: Pointers | None = None
        self._since = clock()

    def pointers(self) -> Pointers:
        """Where they stand.

        Raises:
            CheckFailed: when nothing of the run may serve.
            CorpusError: when its files are damaged.
            UnavailableError: when the register has been out of reach for longer than the allowed staleness.
        """
        began = self._clock()
        try:
            known = self._current()
            while len({_by((each,)) for each in known}) > 1:  # somebody objected between two of them
                known = self._current()
        except (UnavailableError, OSError) as error:
            lasted = self._clock() - self._since
            if self._known is None or lasted > self._most:
                raise UnavailableError(
                    f"The register has been out of reach for {lasted:,.0f} s, and it is unknown who objected since "
                    f"({_clause(error)}): see that this machine reaches it, then ask again."
                ) from None
            return self._known
        self._known, self._since = known, began
        return known

    def _current(self) -> Pointers:
        register, policy = self._opened(), self._policy.now()
        return tuple(current(each, register, policy) for each in self._runs)

    def close(self) -> None:
        """Give the register back."""
        if self._register is not None:
            self._register.close()
            self._register = None

    def _opened(self) -> Register:
        """The register; opened anew where another file took its place.

        Raises:
            OSError: when its file is gone.
        """
        with self._lock:
            if self._register is not None and not self._is_the_same(self._register):
                self.close()
            if self._register is None:
                self._register = self._workspace.register()
                self._file = None if self._register.file is None else self._register.file.stat()
            return self._register

    def _is_the_same(self, register: Register) -> bool:
        return register.file is None or self._file is None or os.path.samestat(self._file, register.file.stat())


class Model:
    """A run, or a family of cohorts, that answers; safe to use from several threads."""

    def __init__(self, name: str, runs: Sequence[RunFolder], head: Head, guard: Followed | None = None) -> None:
        """Load what the pointers of ``runs`` name.

        Args:
            name: what answers.
            runs: of which it is made.
            head: where their pointers stand.
            guard: whom to look for in what it says; None lets everything pass.

        Raises:
            CheckFailed, CorpusError, UnavailableError: as :meth:`Head.pointers`, or when its files are damaged.
        """
        self.name, self.runs = name, runs
        self._head, self._guard = head, guard
        self._loading = threading.Lock()
        self._loaded = load(name, runs, head.pointers())

    def loaded(self) -> Loaded:
        """What answers now.

        Raises:
            CheckFailed, CorpusError, UnavailableError: as the construction.
        """
        while True:
            pointers, loaded = self._head.pointers(), self._loaded
            if _names(pointers, loaded):
                return loaded
            free = self._loading.acquire(blocking=_by(pointers) != loaded.clean_by or not _is_whole(loaded))
            if not free:  # another thread loads what comes next, and what is loaded may go on
                return loaded
            try:
                if self._loaded is loaded:
                    fewer = _with_its_weights(loaded, pointers, self.runs[0])
                    self._loaded = fewer or load(self.name, self.runs, pointers)
            finally:
                self._loading.release()

    def pointers(self) -> Pointers:
        """Where the pointers stand.

        Raises:
            CheckFailed, CorpusError, UnavailableError: as :meth:`Head.pointers`.
        """
        return self._head.pointers()

    def may_leave(self, loaded: Loaded) -> bool:
        """Whether a text that was drawn from a checkpoint may leave now.

        Raises:
            CheckFailed, CorpusError, UnavailableError: as :meth:`Head.pointers`.
        """
        return _may_go_on(self._head.pointers(), loaded)

    def pieces(self, prompt: str, sampling: Sampling) -> tuple[Loaded, Generation, Iterator[str]]:
        """How a prompt goes on, piece by piece, each checked when it is given.

        Returns:
            What answers, the text as it is drawn, and its pieces. They end in a MovedError where the rest may not
            leave.

        Raises:
            UsageError: when the prompt does not fit.
            CheckFailed, CorpusError, UnavailableError: as :meth:`loaded`.
        """
        loaded, generation = self._begun(prompt, sampling)
        if self._guard is None:
            return loaded, generation, self._checked(loaded, generation)
        return loaded, generation, self._guarded(loaded, generation, prompt)

    def _begun(self, prompt: str, sampling: Sampling) -> tuple[Loaded, Generation]:
        loaded = self.loaded()
        return loaded, Generation(loaded.network, loaded.tokenizer, prompt, sampling, loaded.remembered)

    def _checked(self, loaded: Loaded, generation: Generation) -> Iterator[str]:
        """The pieces of a text, as long as they may leave.

        Raises:
            MovedError: once they may not.
        """
        for piece in generation:
            self._require(loaded)
            yield piece

    def _guarded(self, loaded: Loaded, generation: Generation, prompt: str) -> Iterator[str]:
        """The same behind the guard: what is not ready to leave yet comes as an empty piece."""
        passing, drawn = Passing(prompt), ""
        for piece in self._checked(loaded, generation):
            drawn += piece
            yield self._passed(loaded, generation, passing, drawn) if passing.is_due(drawn) else ""
            if passing.cut:
                return
        yield self._passed(loaded, generation, passing, drawn, ended=True)

    def _passed(
        self, loaded: Loaded, generation: Generation, passing: Passing, drawn: str, *, ended: bool = False
    ) -> str:
        """What the guard lets pass of what is drawn, by what is known at the head by which it leaves.

        Raises:
            MovedError: when it may not leave any more.
            UnavailableError: when the register, or what is known of withheld people, can't be read.
        """
        assert self._guard is not None  # whoever calls it has one
        by, found = _by(self._require(loaded)), None
        while found is None:
            found = passing.taken(drawn, self._guard.rules(by), ended=ended)
            searched, by = by, _by(self._require(loaded))
            found = found if searched == by else None  # somebody objected meanwhile: it is searched for them, too
        text = passing.left(found)
        generation.masked = passing.masked
        generation.finish = "content_filter" if passing.cut else generation.finish
        return text

    def _require(self, loaded: Loaded) -> Pointers:
        """Make sure that a text which was drawn from a checkpoint may leave now; by which pointers it may.

        Raises:
            MovedError: when it may not.
        """
        pointers = self._head.pointers()
        if not _may_go_on(pointers, loaded):
            raise MovedError(
                f"Somebody objected whose rows this model of {self.name} had seen, so the rest of its text "
                "is not given: ask again, and one without them answers."
            )
        return pointers

    def complete(self, prompt: str, sampling: Sampling) -> tuple[Loaded, Generation, str]:
        """How a prompt goes on, as a whole; begun again where what it was drawn from may not serve any more.

        Raises:
            UsageError, CheckFailed, CorpusError, UnavailableError: as :meth:`pieces`.
        """
        for left in reversed(range(_ATTEMPTS)):
            loaded, generation = self._begun(prompt, sampling)
            try:
                text = "".join(self._checked(loaded, generation))
                if self._guard is not None:
                    text = self._passed(loaded, generation, Passing(prompt), text, ended=True)
                if self.may_leave(loaded):
                    return loaded, generation, text
            except MovedError:
                if not left:
                    raise
        raise MovedError(f"People object faster than {self.name} can answer: ask again.")


@contextmanager
def serving(workspace: Workspace, name: str, *, guarded: bool = True) -> Iterator[Model]:
    """Let a run of a workspace answer, for as long as the block runs.

    Args:
        workspace: whose.
        name: of the run, or of a family of cohorts.
        guarded: whether the guard reads what it says before that leaves.

    Raises:
        UsageError: when there is no such run, it was trained by a trainer of somebody's own, or torch is missing.
        CheckFailed, CorpusError, UnavailableError: as :class:`Model`.
    """
    need("A model that answers", "train", *NEEDS)
    runs = answering(workspace.models_path, name)
    head = Head(workspace, runs)
    try:
        yield Model(name, runs, head, Followed(workspace) if guarded else None)
    finally:
        head.close()


def _with_its_weights(loaded: Loaded, pointers: Pointers, folder: RunFolder) -> Loaded | None:
    """What a pointer names, by the weights that are loaded, where only what is remembered beside them changed."""
    pointer = pointers[0]
    if loaded.remembered is None or loaded.at[0][0] != pointer.model:
        return None
    run = Run.open(folder.model(pointer.model))
    remembered = Remembered.of(run.model, run.config, loaded.tokenizer.size)
    return replace(loaded, at=_at(pointers), remembered=remembered, clean_by=_by(pointers))


def averaged(run: Run, step: int) -> Any:  # noqa: ANN401  # a transformers model
    """The network of a checkpoint with its averaged weights, those that are served; it drops nothing.

    Raises:
        CheckFailed: when its files were changed, or are of another network.
    """
    saved = Checkpoints(run.model).saved(step)
    path = run.model.checkpoint(step) / _EMA
    if file_digest(path) != saved.ema:
        raise CheckFailed(f"{path} was changed or is damaged: {_AGAIN}")
    network, weights = run.network(), read_tensors(path)
    torch = import_module("torch")
    with torch.no_grad():
        for name, parameter in trainable(network).items():
            if name not in weights or weights[name].shape != parameter.shape:
                raise CheckFailed(f"{path} is of another network than the run's: {_AGAIN}")
            parameter.copy_(weights[name])
    return network.eval()


def load(name: str, runs: Sequence[RunFolder], pointers: Pointers, *, ensemble: bool | None = None) -> Loaded:
    """The checkpoints that pointers name, with the weights that are served, as one that answers.

    Args:
        name: of the run, or of the family.
        runs: of which it is made.
        pointers: of each.
        ensemble: of cohorts, whether their answers are put together, and not their adapters; None as they say.

    Raises:
        CheckFailed: as :func:`averaged`.
    """
    opened = [Run.open(run.model(pointer.model)) for run, pointer in zip(runs, pointers, strict=True)]
    networks = [averaged(run, pointer.checkpoint) for run, pointer in zip(opened, pointers, strict=True)]
    first, numbers = opened[0], "+".join(pointer.model for pointer in pointers)
    remembered = Remembered.of(first.model, first.config, first.tokenizer.size)
    network = together(networks, ensemble=first.config.ensemble if ensemble is None else ensemble)
    return Loaded(f"{name}/{numbers}", _at(pointers), network, first.tokenizer, remembered, _by(pointers))


def _names(pointers: Pointers, loaded: Loaded) -> bool:
    """Whether pointers name what is loaded, which is then known to be clean by their entry."""
    if loaded.at != _at(pointers) or not _is_whole(loaded):
        return False
    loaded.clean_by = _by(pointers)
    return True


def _may_go_on(pointers: Pointers, loaded: Loaded) -> bool:
    """Whether a text that was drawn from a checkpoint may leave, by where the pointers stand."""
    return _names(pointers, loaded) or (_by(pointers) == loaded.clean_by and _is_whole(loaded))


def _is_whole(loaded: Loaded) -> bool:
    """Whether nothing of what is remembered was forgotten since it was loaded."""
    return loaded.remembered is None or loaded.remembered.is_current()


def _at(pointers: Pointers) -> tuple[Place, ...]:
    return tuple((each.model, each.checkpoint) for each in pointers)


def _by(pointers: Pointers) -> tuple[int, str]:
    return pointers[0].binding, pointers[0].commitment


def _clause(error: Exception) -> str:
    """What went wrong, as a part of a sentence; nothing of a path's owner or a person."""
    return (error.strerror or "it can't be read") if isinstance(error, OSError) else str(error).rstrip(".")
