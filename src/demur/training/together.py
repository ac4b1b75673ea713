"""The networks of several cohorts as one that answers: their adapters' mean in one network, or their mean answer.

Invariants: each cohort counts alike; of one cohort alone, both say what its network says.
"""

import math
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from demur.training.model import name_of_past


def merged(networks: Sequence[Any]) -> Any:  # noqa: ANN401  # transformers models
    """One network without adapters, whose weights are the base's and the mean of what each one's adapters add.

    Args:
        networks: with adapters over one base; the first is changed, and given back without them.
    """
    torch = import_module("torch")
    adapted = [[each for each in network.modules() if hasattr(each, "get_delta_weight")] for network in networks]
    with torch.no_grad():
        for layers in zip(*adapted, strict=True):
            added = sum(each.get_delta_weight(each.active_adapters[0]) for each in layers)
            layers[0].base_layer.weight.add_(added / len(layers))
    return networks[0].unload().eval()


def together(networks: Sequence[Any], *, ensemble: bool) -> Any:  # noqa: ANN401  # the same
    """What answers for some cohorts: of one its own network, of several their mean answer or their merged adapters.

    Args:
        networks: of each; the first is changed where adapters are merged.
        ensemble: whether their answers are put together, and not their adapters.
    """
    if len(networks) == 1:
        return networks[0]
    return Ensemble(networks) if ensemble else merged(networks)


class Pasts(list[Any]):
    """What several networks have read of the same texts."""

    def reorder_cache(self, which: Any) -> None:  # noqa: ANN401  # of torch
        """Go on with some of the texts, by their numbers; one may stand there several times."""
        for each in self:
            each.reorder_cache(which)


class Ensemble:
    """Several networks that answer together: the mean of their probabilities, as scores."""

    def __init__(self, networks: Sequence[Any]) -> None:
        """Ask ``networks``, which read the same tokens."""
        self._networks = networks
        self.config = networks[0].config

    def parameters(self) -> Iterator[Any]:
        """Of all of them."""
        return (parameter for each in self._networks for parameter in each.parameters())

    def get_input_embeddings(self) -> Any:  # noqa: ANN401  # the same
        """Those of the first: all read one vocabulary."""
        return self._networks[0].get_input_embeddings()

    def forward(self, input_ids: Any, *, cache: Sequence[Any] | None = None, **options: Any) -> SimpleNamespace:  # noqa: ANN401  # of torch
        """What they say of token ids: `logits`, logarithms of probabilities; `cache`, and states of the first."""
        torch, name = import_module("torch"), name_of_past(self._networks[0])
        before = cache or [None] * len(self._networks)
        told = [
            network(input_ids=input_ids, **{name: past}, **options)
            for network, past in zip(self._networks, before, strict=True)
        ]
        each = torch.stack([one.logits.float().log_softmax(dim=-1) for one in told])
        logits = each.logsumexp(dim=0) - math.log(len(told))
        past = Pasts(getattr(one, name, None) for one in told)
        return SimpleNamespace(logits=logits, cache=past, hidden_states=getattr(told[0], "hidden_states", None))

    __call__ = forward
