"""Training with differential privacy of the person: what one person adds is clipped, and noise is added to the sum.

Each person stands in one step (training.fixed). A step's gradient is the sum over its people of the gradient of each
one's mean loss, clipped to a norm; to this, Gaussian noise is added (Abadi et al. 2016, by person instead of by row).
All steps together are one Gaussian release, however many there are, as nobody is in two of them; the weights, averages
and checkpoints follow from it and cost nothing more. A replay takes its steps again with fresh noise: with the old one,
the difference between the two models would be free of it. So it is a further release for whoever stands in those steps.

Invariants: noise follows from a seed of the model and the number of the step; seeds are random, and lie sealed in the
model's folder; a step that a replay takes again has another seed than it had. What comes of it is not what training
from scratch without somebody would give, byte for byte: its certificate says how it was made.
"""

import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import orjson

from demur.canonical import JSON, canonical_json
from demur.errors import CheckFailed, IdentityError
from demur.files import write_durably
from demur.identity import Keys, seal, unseal
from demur.runs.folder import ModelFolder
from demur.training.environment import load
from demur.training.epsilon import epsilon
from demur.training.filling import Plan
from demur.training.fixed import UNITS, Units
from demur.training.loop import add_gradient
from demur.training.run import Run
from demur.training.state import State

Ids = npt.NDArray[np.int32]
NOISE: Final = "noise.sealed"
"""The file of a model's seeds."""
_SEED_BYTES: Final = 32
_CONTEXT: Final = b"demur noise"


@dataclass(frozen=True)
class Noise:
    """The seeds of a model's noise."""

    seeds: Sequence[tuple[int, bytes]]
    """From which step on each counts, ascending from 0."""

    @classmethod
    def fresh(cls) -> Self:
        """Of a first training."""
        return cls([(0, secrets.token_bytes(_SEED_BYTES))])

    def onward(self, step: int) -> Self:
        """Of a replay that takes the steps from ``step`` on again."""
        kept = [each for each in self.seeds if each[0] < step]
        return replace(self, seeds=[*kept, (step, secrets.token_bytes(_SEED_BYTES))])

    def drawn(self, step: int) -> np.random.Generator:
        """What the noise of a step is drawn from."""
        seed = max(each for each in self.seeds if each[0] <= step)[1]
        key = hmac.digest(seed, step.to_bytes(8, "little"), "sha256")[:16]
        return np.random.Generator(np.random.Philox(key=np.frombuffer(key, "<u8").astype(np.uint64)))

    def write(self, model: ModelFolder, keys: Keys) -> None:
        """Put them down, sealed."""
        plain = canonical_json([[step, seed.hex()] for step, seed in self.seeds])
        write_durably(model.path / NOISE, seal(keys.sealing, plain, context=_CONTEXT))

    @classmethod
    def read(cls, model: ModelFolder, keys: Keys) -> Self:
        """What :meth:`write` put down.

        Raises:
            CheckFailed: when it is missing, was changed, or was sealed by another workspace's key.
        """
        path = model.path / NOISE
        try:
            said = orjson.loads(unseal(keys.sealing, path.read_bytes(), context=_CONTEXT))
            return cls([(int(step), bytes.fromhex(seed)) for step, seed in said])
        except (OSError, ValueError, TypeError, IdentityError):
            raise CheckFailed(
                f"{path} is missing, was changed, or was sealed by other keys: put it back from your backup."
            ) from None


@dataclass(frozen=True)
class Private:
    """How the gradient of a step is made."""

    units: Units
    noise: Noise

    @classmethod
    def of(cls, run: Run, keys: Keys) -> "Private | None":
        """Of a model; None where its configuration asks for no noise.

        Raises:
            CheckFailed: when its seeds, or who is one person in it, can't be read.
        """
        if not run.config.noise:
            return None
        return cls(Units.read(run.model.run.path / UNITS), Noise.read(run.model, keys))

    def __call__(self, state: State, plan: Plan, step: int) -> float:
        """Put the gradient of a step, with its noise, into the network; the loss a predicted token, in nats.

        Args:
            state: whose network.
            plan: with token ids.
            step: of it; it may be empty.
        """
        config, torch = state.config, load(state.config)
        total = {name: torch.zeros_like(each) for name, each in state.weights.items()}
        lost, predicted = 0.0, 0
        for rows in self._by_person(plan, step):
            tokens = sum(len(row) - 1 for row in rows)
            if not tokens:
                continue
            lost += add_gradient(state, rows, tokens)[0]
            predicted += tokens
            torch.nn.utils.clip_grad_norm_(state.weights.values(), config.person_norm, foreach=False)
            for name, each in state.weights.items():
                total[name].add_(each.grad)
                each.grad = None
        drawn, scale = self.noise.drawn(step), config.noise * config.person_norm
        for name, each in sorted(state.weights.items()):
            noise = drawn.standard_normal(tuple(each.shape), np.float64).astype(np.float32)
            each.grad = total[name].add_(torch.from_numpy(noise).to(each.device), alpha=scale)
        return lost / max(predicted, 1)

    def _by_person(self, plan: Plan, step: int) -> Iterator[list[Ids]]:
        """The rows of each person in a step; a canary concerns nobody, and is one of its own."""
        where = plan.of_step(step)
        people = plan.rows.people.take(np.arange(where.start, where.stop))
        person, ours = -1 - np.arange(len(people.ends)), np.flatnonzero(people.sizes > 0)
        person[ours] = self.units.of(people.flat[(people.ends - people.sizes)[ours]])
        for each in np.unique(person):
            yield [plan.ids(where.start + int(row)) for row in np.flatnonzero(person == each)]


def renew_noise(model: ModelFolder, parent: ModelFolder, begun: int, keys: Keys) -> None:
    """Give a replay the noise of its parent for the steps that it takes over, and fresh noise for those it takes again.

    Args:
        model: the replay, at any round of it.
        parent: what it replays.
        begun: the checkpoint from which it trains on now.
        keys: of the workspace.
    """
    own = (model.path / NOISE).exists()
    noise = Noise.read(model if own else parent, keys)
    if not own or begun < noise.seeds[-1][0]:
        noise.onward(begun).write(model, keys)


def facts_of(run: Run, number: int) -> dict[str, JSON]:
    """What a certificate says of a private model.

    Args:
        run: of the model.
        number: of releases, for whoever stands in the last step: each training and each replay is one.
    """
    config = run.config
    return {
        "unit": "a person: all accounts that the register linked at the first training of the run",
        "noise": repr(config.noise),
        "norm": repr(config.person_norm),
        "steps": config.fixed_steps,
        "tokens": config.person_tokens,
        "delta": repr(config.delta),
        "releases": number,
        "epsilon": repr(epsilon(config.noise, config.delta, number)),
    }
