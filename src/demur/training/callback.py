"""A training by the Trainer of `transformers`, followed: its rows, and a stop before the weights would change.

Invariants: the head is asked between the gradient of a step and its update; where the training may not go on, the
gradient is thrown away, so that no update is made of rows that were read before an objection and not used yet.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch.utils.data import IterableDataset, get_worker_info
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from demur.errors import UsageError
from demur.loading.loader import Row
from demur.training.tracking import Tracked

Turn = Callable[[Row], Mapping[str, Any]]
"""Makes what a model reads of a row."""


class Following(TrainerCallback):
    """Follows the register's head for a Trainer."""

    def __init__(self, run: Tracked) -> None:
        """Follow it for a training that :func:`demur.training.tracked` puts on record."""
        self.run = run

    def dataset(self, turn: Turn) -> IterableDataset:
        """The rows of the version, each as ``turn`` makes it when it is its turn.

        They come in the order of the version, and end where the training stops; say `max_steps` to the Trainer.
        """
        return _Rows(self.run, turn)

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,  # noqa: ARG002  # the Trainer's signature; so below
        control: TrainerControl,
        **_: object,
    ) -> TrainerControl:
        """Refuse what can't be followed.

        Raises:
            UsageError: where rows go to other processes.
        """
        if args.world_size > 1 or args.dataloader_num_workers:
            raise UsageError(
                "A training that is put on record runs in one process: set dataloader_num_workers=0, and use one GPU."
            )
        return control

    def on_pre_optimizer_step(
        self,
        args: TrainingArguments,
        state: TrainerState,  # noqa: ARG002
        control: TrainerControl,
        model: Any = None,  # noqa: ANN401  # of torch
        **_: object,
    ) -> TrainerControl:
        """Ask whether the step may be taken; if not, take it without a gradient and stop."""
        if not self.run.goes_on():
            model.zero_grad(set_to_none=not args.fp16)  # the scaler of float16 wants a gradient
            control.should_training_stop = True
        return control


class _Rows(IterableDataset):
    """Rows as torch wants them."""

    def __init__(self, run: Tracked, turn: Turn) -> None:
        super().__init__()
        self._run, self._turn = run, turn

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        if get_worker_info() is not None:
            raise UsageError("A training that is put on record reads its rows in one process: set num_workers=0.")
        return map(self._turn, self._run.rows())
