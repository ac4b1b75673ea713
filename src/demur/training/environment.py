"""What else has to be the same for the same bytes: releases, instruction set, threads, precision, device.

Invariants: torch is loaded only behind :func:`load`, after the switches that it reads while it loads; what was trained
in one environment is carried on in that one alone, because another one gives other weights (PyTorch manual,
*Reproducibility*: "not guaranteed across releases, commits, platforms"; threads change sums, pytorch #88718; oneDNN
promises equality run to run in the same environment only).
"""

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, Self

from demur.canonical import canonical_json
from demur.errors import CheckFailed, UsageError
from demur.extras import need
from demur.training.config import Config

NEEDS: Final = ("torch", "transformers", "tokenizers", "safetensors")
"""What training needs besides demur; the extra `train` brings it."""

_SWITCHES: Final[Mapping[str, str]] = {
    "OMP_WAIT_POLICY": "passive",  # threads that spin while they wait take the cores of others
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # CUDA manual, cuBLAS, *Results reproducibility*
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",  # nothing is fetched
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
}
"""Set before torch is loaded, where nothing else is set."""


@dataclass(frozen=True)
class Environment:
    """The pins, each by its name."""

    pins: Mapping[str, str]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the pins as canonical JSON."""
        return hashlib.sha256(canonical_json(dict(self.pins))).digest()

    @classmethod
    def of(cls, pins: Mapping[str, str]) -> Self:
        """As the facts of a model have them."""
        return cls(dict(pins))

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.pins.items())


def load(config: Config) -> Any:  # noqa: ANN401  # the module; the extra may be missing where types are checked
    """The module torch, with arithmetic that gives the same bytes each time.

    Raises:
        UsageError: when it is not installed, or has no such device.
    """
    need("Training", "train", *NEEDS)
    for name, value in _SWITCHES.items():
        os.environ.setdefault(name, value)
    torch = import_module("torch")
    if config.device == "cuda" and not torch.cuda.is_available():
        raise UsageError('`device` is "cuda", and no GPU can be used here: set device = "cpu".')
    torch.use_deterministic_algorithms(True)  # noqa: FBT003  # torch's signature
    torch.utils.deterministic.fill_uninitialized_memory = False  # it finds mistakes of torch's, and costs time
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    if torch.get_num_threads() != config.threads:
        torch.set_num_threads(config.threads)
    return torch


def of_now(config: Config) -> Environment:
    """The environment that this process trains in under a configuration.

    Raises:
        UsageError: when torch is not installed, or has no such device.
    """
    torch = load(config)
    cuda = config.device == "cuda"
    pins = {name: version(name) for name in NEEDS} | {"torch": str(torch.__version__)}
    if config.adapters:
        pins["peft"] = version("peft")
    pins |= {
        "machine": platform.machine(),
        "instructions": str(torch.backends.cpu.get_cpu_capability()),
        "mkl_cbwr": os.environ.get("MKL_CBWR", "unset"),
        "threads": str(torch.get_num_threads()),
        "dtype": config.dtype,
        "device": str(torch.cuda.get_device_name()) if cuda else "cpu",
    }
    if cuda:
        pins["cuda"] = str(torch.version.cuda)
    return Environment(pins)


def require_same(recorded: Environment, now: Environment) -> None:
    """Refuse to carry on in another environment.

    Raises:
        CheckFailed: naming both, by what differs.
    """
    names = [*recorded.pins, *(name for name in now.pins if name not in recorded.pins)]
    other = [name for name in names if recorded.pins.get(name) != now.pins.get(name)]
    if other:
        was, here = (", ".join(f"{name} {each.pins.get(name, 'none')}" for name in other) for each in (recorded, now))
        raise CheckFailed(
            f"The model was trained with {was}, and this is {here}, which gives other weights: run it in the same "
            "environment, or train again from the base; its clean checkpoints go on serving."
        )
