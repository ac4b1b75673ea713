"""The network: a decoder of our own configuration, or a local checkpoint, trained in full or through adapters.

Invariants: nothing is fetched and no code of a checkpoint is run; the folder ``model/`` of a run says what the network
looks like, and with adapters holds the weights that stay; all weights that change are in the checkpoints.
"""

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from demur.errors import UsageError
from demur.files import make_folder, replacing, tighten
from demur.training.config import Config
from demur.training.environment import load
from demur.training.tokenizer import Tokenizer

_SETTINGS: Final = "config.json"
_WEIGHTS: Final = "model.safetensors"
_DROPPING: Final = ("attention_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "hidden_dropout", "dropout")
"""How architectures call the share of activations that they drop."""


def fresh(config: Config, tokenizer: Tokenizer) -> Any:  # noqa: ANN401  # a transformers model
    """A decoder with first weights by the configuration's seed."""
    torch, library = load(config), import_module("transformers")
    settings = library.LlamaConfig(
        vocab_size=tokenizer.size,
        hidden_size=config.width,
        intermediate_size=config.inner,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads,
        max_position_embeddings=config.context,
        tie_word_embeddings=True,
        attention_dropout=config.dropout,
        bos_token_id=tokenizer.begin,
        eos_token_id=tokenizer.end,
        pad_token_id=tokenizer.end,
        attn_implementation=config.attention,
    )
    torch.manual_seed(config.seed)
    return _placed(library.LlamaForCausalLM(settings), config)


def of_checkpoint(folder: Path, config: Config) -> Any:  # noqa: ANN401  # a transformers model
    """The network of a local Hugging Face checkpoint, with its weights.

    Raises:
        UsageError: when it can't be read.
    """
    torch, library = load(config), import_module("transformers")
    try:
        with _quiet():
            model = library.AutoModelForCausalLM.from_pretrained(
                folder,
                dtype=torch.float32,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                attn_implementation=config.attention,
            )
    except Exception as error:  # noqa: BLE001  # the library raises no narrower one
        raise UsageError(
            f"The checkpoint {folder} can't be read ({type(error).__name__}): give the folder of a decoder with "
            f"{_SETTINGS} and {_WEIGHTS}."
        ) from None
    return _placed(_undropped(model, config), config)


def keep(model: Any, folder: Path, *, weights: bool) -> None:  # noqa: ANN401  # a transformers model
    """Put down what a network looks like.

    Args:
        model: without adapters.
        folder: ``model/`` of a run.
        weights: whether its weights are kept, too, as those that stay.
    """
    make_folder(folder)
    with replacing(folder / _SETTINGS) as file:
        model.config.to_json_file(str(file), use_diff=False)
    if weights:
        from safetensors.torch import save_file  # noqa: PLC0415  # see the package's docstring

        tensors = {name: each.detach().cpu().contiguous() for name, each in model.named_parameters()}
        with replacing(folder / _WEIGHTS) as file:
            save_file(tensors, file)
    tighten(folder.iterdir())


def open_model(folder: Path, config: Config) -> Any:  # noqa: ANN401  # a transformers model
    """The network that ``model/`` describes, with adapters where the configuration has them; its weights follow.

    Raises:
        UsageError: when it can't be read.
    """
    torch, library = load(config), import_module("transformers")
    try:
        settings = library.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # noqa: BLE001  # the library raises no narrower one
        raise UsageError(f"{folder / _SETTINGS} can't be read ({type(error).__name__}): train the run again.") from None
    torch.manual_seed(config.seed)
    model = library.AutoModelForCausalLM.from_config(
        settings, dtype=torch.float32, attn_implementation=config.attention, trust_remote_code=False
    )
    if not config.adapters:
        return _placed(_undropped(model, config), config)
    from safetensors.torch import load_file  # noqa: PLC0415  # see the package's docstring

    staying = load_file(folder / _WEIGHTS)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(staying[name])
    return _placed(_with_adapters(_undropped(model, config), config), config)


def looked_at(model: Any, ids: Any, config: Config) -> tuple[Any, Any]:  # noqa: ANN401  # of transformers, and of numpy
    """What a network says of one row alone: scores, shape (n - 1, size), and last hidden states, (n - 1, width).

    Args:
        model: the network.
        ids: token ids, shape (n,); what is said at each place but the last is of the token behind it.
        config: of the run.
    """
    torch = load(config)
    with torch.inference_mode():
        given = torch.tensor(ids[None, :-1].tolist(), device=config.device)
        if not given.shape[1]:
            return _nothing(model.config.vocab_size), _nothing(width_of(model))
        told = model(input_ids=given, use_cache=False, output_hidden_states=True)
        logits, states = (each[0].float().cpu().numpy() for each in (told.logits, told.hidden_states[-1]))
    return logits, states


def name_of_past(model: Any) -> str:  # noqa: ANN401  # a transformers model
    """What a decoder calls that which it has read: `cache`, and in older releases `past_key_values`."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "cache" if "cache" in inspect.signature(inner.forward).parameters else "past_key_values"


def width_of(model: Any) -> int:  # noqa: ANN401  # a transformers model
    """The size of a hidden state."""
    return int(model.config.hidden_size)


def _nothing(width: int) -> Any:  # noqa: ANN401  # of numpy
    return np.zeros((0, width), np.float32)


def trainable(model: Any) -> dict[str, Any]:  # noqa: ANN401  # parameters of torch
    """The weights that change, by name, tied ones once."""
    return {name: each for name, each in model.named_parameters() if each.requires_grad}


def _with_adapters(model: Any, config: Config) -> Any:  # noqa: ANN401  # transformers models
    torch, library = load(config), import_module("peft")
    torch.manual_seed(config.seed)
    settings = library.LoraConfig(
        r=config.adapters,
        lora_alpha=config.adapters_alpha,
        lora_dropout=config.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    with _quiet():
        return library.get_peft_model(model, settings)


def _undropped(model: Any, config: Config) -> Any:  # noqa: ANN401  # a transformers model
    """With the configuration's dropout, whatever a checkpoint says."""
    for name in _DROPPING:
        if isinstance(getattr(model.config, name, None), float | int):
            setattr(model.config, name, config.dropout)
    for module in model.modules():
        if type(module).__name__ == "Dropout":
            module.p = config.dropout
        elif hasattr(module, "attention_dropout"):
            module.attention_dropout = config.dropout
    return model


def _placed(model: Any, config: Config) -> Any:  # noqa: ANN401  # a transformers model
    """On its device, and dropping nothing unless that is keyed."""
    return model.to(config.device).train(bool(config.dropout))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's hints to whoever programs with it, and without its bars."""
    said = import_module("transformers").utils.logging
    bars = said.is_progress_bar_enabled()
    said.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if bars:
            said.enable_progress_bar()
