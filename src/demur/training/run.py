"""A model that is trained or replayed: its folder, and what decides about its bytes.

Invariants: the plan in the folder is one that its facts name, whatever moment a crash came at.
"""

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Self

import orjson

from demur.errors import CheckFailed, UsageError
from demur.files import write_durably
from demur.runs.facts import Facts, read_facts, write_facts
from demur.runs.folder import ModelFolder, RunFolder
from demur.runs.people import people_of, write_people
from demur.training.config import Config
from demur.training.environment import Environment
from demur.training.filling import Plan
from demur.training.model import open_model
from demur.training.order import KEY_BYTES
from demur.training.tokenizer import Tokenizer

MODEL: Final = "model"
"""The folder that says what a run's network looks like."""
_PLANS: Final = "plans"
"""Of the facts: the digests that the plan may have."""


@dataclass(frozen=True)
class Run:
    """One model of a run, to be trained."""

    model: ModelFolder
    """Where it lies."""
    config: Config
    key: bytes = field(repr=False)
    """32 random bytes: order rows, draw who is held out, seed dropout."""

    @classmethod
    def open(cls, model: ModelFolder) -> Self:
        """The model in a folder.

        Raises:
            CheckFailed: when configuration or key are missing or damaged.
        """
        return cls(model, read_config_of(model.run), read_key(model.run))

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The run's."""
        return Tokenizer.open(self.model.run.tokenizer, self.config.context)

    def network(self) -> Any:  # noqa: ANN401  # a transformers model
        """The network of the run, whose weights are a checkpoint's."""
        return open_model(self.model.run.path / MODEL, self.config)

    @property
    def config_digest(self) -> bytes:
        """SHA-256 of the configuration as it lies in the folder, with what a later demur added to it."""
        return hashlib.sha256(self.model.run.config.read_bytes()).digest()

    def facts(self) -> Facts:
        """What the model says of itself."""
        return read_facts(self.model)

    def environment(self) -> Environment:
        """The environment that it is trained in."""
        return Environment.of(self.facts().environment)

    def keep_plan(self, plan: Plan) -> None:
        """Put down a plan, and who is in it, in the place of what stands there."""
        facts, digest = self.facts(), plan.digest()
        before = _digests(facts)
        write_facts(self.model, replace(facts, unknown={**facts.unknown, _PLANS: sorted({*before, digest})}))
        write_people(self.model, people_of(plan.table()))
        plan.write(self.model.plan)
        write_facts(self.model, replace(facts, unknown={**facts.unknown, _PLANS: [digest]}))

    def note(self, name: str, number: int) -> None:
        """Put a count among the model's facts, where it stays."""
        facts = self.facts()
        write_facts(self.model, replace(facts, unknown={**facts.unknown, name: number}))

    def plan(self) -> Plan:
        """The plan of the model, without token ids.

        Raises:
            CheckFailed: when it was changed, or is damaged.
        """
        plan = Plan.read(self.model.plan, _digests(self.facts()))
        return replace(plan, fixed=self.config.fixed_steps if self.config.noise else 0)


def write_settings(folder: RunFolder, config: Config, key: bytes) -> None:
    """Put down what all models of a run share."""
    write_durably(folder.config, config.to_bytes())
    write_durably(folder.key, key)


def read_config_of(folder: RunFolder) -> Config:
    """The configuration of a run.

    Raises:
        CheckFailed: when it is missing, damaged, or of a newer demur.
    """
    try:
        return Config.from_mapping(orjson.loads(folder.config.read_bytes()), str(folder.config))
    except (OSError, ValueError, AttributeError, UsageError):
        raise CheckFailed(f"{folder.config} is missing, damaged, or of a newer demur: put it back.") from None


def read_key(folder: RunFolder) -> bytes:
    """The key of a run.

    Raises:
        CheckFailed: when it is missing or damaged.
    """
    try:
        key = folder.key.read_bytes()
    except OSError:
        key = b""
    if len(key) != KEY_BYTES:
        raise CheckFailed(f"{folder.key} is missing or damaged: put it back from your backup.")
    return key


def _digests(facts: Facts) -> list[str]:
    said = facts.unknown.get(_PLANS, [])
    return [str(each) for each in said] if isinstance(said, list) else []
