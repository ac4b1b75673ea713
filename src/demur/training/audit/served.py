"""What is audited: what serves by a name, be it a run's model or the models of a family's cohorts, as one that answers.

Invariants: what is read is what answers, with the weights that are served; the cohorts of a family share configuration
(but for their number), tokenizer, key and base, so that those of the first are those of all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from demur.corpus.session import Session
from demur.errors import UsageError, suggestion
from demur.runs.audited import numbers
from demur.runs.facts import ModelState, read_facts
from demur.runs.folder import ModelFolder, RunFolder, called
from demur.runs.following import current
from demur.runs.pointer import Pointer
from demur.training.config import Config
from demur.training.log import require_config
from demur.training.run import Run, read_config_of
from demur.training.serving import averaged
from demur.training.together import together


@dataclass(frozen=True)
class Served:
    """What serves of a run, or of a family of cohorts."""

    name: str
    """The run's, or the family's."""
    parts: Sequence[tuple[Run, int]]
    """The model, and its checkpoint that serves: of the run, or of each cohort in their order."""

    @property
    def run(self) -> Run:
        """The first, which stands for configuration, tokenizer, key and base of all."""
        return self.parts[0][0]

    @property
    def config(self) -> Config:
        """The run's, or the family's, which is of no cohort."""
        return self.run.config if len(self.parts) == 1 else replace(self.run.config, cohort=0)

    @property
    def models(self) -> list[ModelFolder]:
        """The folder of each model."""
        return [run.model for run, _ in self.parts]

    @property
    def number(self) -> str:
        """``0001``, or ``0001+0002`` of a family of two."""
        return numbers(self.models)

    @property
    def is_whole(self) -> bool:
        """Whether the last checkpoint of each serves."""
        return all(checkpoint == max(run.model.steps()) for run, checkpoint in self.parts)

    def network(self) -> Any:  # noqa: ANN401  # a transformers model, or several
        """What answers, with the averaged weights; it drops nothing.

        Raises:
            CheckFailed: when its files were changed.
        """
        return self.together([averaged(run, checkpoint) for run, checkpoint in self.parts])

    def base(self) -> Any:  # noqa: ANN401  # a transformers model
        """The base, which never saw anybody.

        Raises:
            CheckFailed: as :meth:`network`.
        """
        return averaged(self.run, 0)

    def together(self, networks: Sequence[Any]) -> Any:  # noqa: ANN401  # the same
        """Networks of the parts, as they answer together; the first may be changed."""
        return together(networks, ensemble=self.run.config.ensemble)


def audited_model(session: Session, name: str) -> Served:
    """What serves by a name.

    Args:
        session: of the workspace.
        name: of the run or the family, or ``RUN/0001``, ``FAMILY/0001+0001``.

    Raises:
        UsageError: when there is none, or it is not what serves, or demur did not train it.
        CheckFailed: when nothing of it may serve, or its files were changed.
    """
    plain, _, number = name.partition("/")
    folders = called(session.workspace.models_path, plain)
    for folder in folders:
        if not folder.config.exists():
            raise UsageError(
                f"The run {folder.name} was trained by a trainer of your own, and demur has no checkpoint of it: audit "
                "runs of `demur train`."
            )
    if number:
        _require_there(folders, number)
    if read_config_of(folders[0]).memory:
        raise UsageError(
            f"The run {plain} has learnt nothing: what people wrote stands in its store, as text, for whoever reads "
            "that; audit a run that was trained."
        )
    served = Served(plain, [_opened(*each) for each in zip(folders, _pointers(session, folders), strict=True)])
    if number and number != served.number:
        raise UsageError(
            f"What serves of the run {plain} is {plain}/{served.number}: audit that one (`demur audit {plain}`)."
        )
    return served


def _pointers(session: Session, folders: Sequence[RunFolder]) -> list[Pointer]:
    """Where the pointers stand, all by one entry of the register."""
    while True:
        found = [current(folder, session.register, session.policy) for folder in folders]
        if len({(each.binding, each.commitment) for each in found}) == 1:
            return found


def _opened(folder: RunFolder, pointer: Pointer) -> tuple[Run, int]:
    run = Run.open(folder.model(pointer.model))
    require_config(run.model.log, run.config_digest)
    return run, pointer.checkpoint


def _require_there(folders: Sequence[RunFolder], number: str) -> None:
    """Refuse a model that is not there, or is there by its facts alone.

    Raises:
        UsageError: saying which.
    """
    for folder, each in zip(folders, number.split("+"), strict=False):
        model = folder.model(each)
        if not model.facts.exists():
            known = [model.number for model in folder.models()]
            raise UsageError(f"There is no model {model.name}: {suggestion(model.number, known)}")
        if read_facts(model).state is ModelState.DESTROYED:
            raise UsageError(
                f"The model {model.name} is destroyed, as a replay took its place: audit what serves (`demur audit "
                f"{folder.name}`)."
            )
