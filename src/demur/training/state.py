"""What a step changes: weights, the moments of AdamW, and the average of the weights that is served.

Invariants: tensors are put in by value and given out as they are, never shared with what they were read from
(`Optimizer.load_state_dict` shares them in one process, pytorch #196083); the same numbers follow whether they were
computed in this process or read from a checkpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from demur.training.config import Config
from demur.training.environment import load
from demur.training.model import trainable

_MOMENTS: Final = ("exp_avg", "exp_avg_sq", "step")
"""As AdamW of torch has them."""

Tensors = Mapping[str, Any]
"""Tensors of torch by name."""


@dataclass(frozen=True, eq=False)
class State:
    """A network that is trained."""

    config: Config
    model: Any
    """Of transformers."""
    weights: dict[str, Any]
    """The parameters that change, the network's own."""
    average: dict[str, Any]
    """Their average, tensors of the same shapes."""
    optimizer: Any
    """AdamW over them, in their order."""

    @classmethod
    def of(cls, model: Any, config: Config) -> Self:  # noqa: ANN401  # a transformers model
        """The state before the first step: no moments, and the weights as their own average."""
        torch = load(config)
        weights = trainable(model)
        optimizer = torch.optim.AdamW(
            weights.values(),
            lr=config.rate,
            betas=(config.beta1, config.beta2),
            eps=config.epsilon,
            weight_decay=config.decay,
            foreach=False,  # one way to compute for everybody
            fused=False,
        )
        average = {name: each.detach().clone() for name, each in weights.items()}
        state = cls(config, model, weights, average, optimizer)
        for parameter in weights.values():
            zeros = (torch.zeros_like(parameter), torch.zeros_like(parameter), torch.tensor(0.0))
            optimizer.state[parameter] = dict(zip(_MOMENTS, zeros, strict=True))
        return state

    def parts(self) -> dict[str, Tensors]:
        """What a checkpoint holds, file by file."""
        moments = {
            f"{name}.{moment}": self.optimizer.state[parameter][moment]
            for name, parameter in self.weights.items()
            for moment in _MOMENTS
        }
        return {"weights": self.weights, "moments": moments, "ema": self.average}

    def is_finite(self) -> bool:
        """Whether every weight is a number."""
        torch = load(self.config)
        return all(bool(torch.isfinite(each).all()) for each in self.weights.values())

    def put(self, parts: Mapping[str, Tensors]) -> None:
        """Take on what a checkpoint holds, by value.

        Raises:
            KeyError, RuntimeError: when it is not one of this network.
        """
        torch = load(self.config)
        with torch.no_grad():
            for name, parameter in self.weights.items():
                parameter.copy_(parts["weights"][name])
                self.average[name].copy_(parts["ema"][name])
                for moment in _MOMENTS:
                    self.optimizer.state[parameter][moment].copy_(parts["moments"][f"{name}.{moment}"])
