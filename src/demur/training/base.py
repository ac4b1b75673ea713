"""What a run begins from: a network and a tokenizer that never saw anybody who may object.

Three kinds: *fresh*, fitted on declared data by the same loop; *checkpoint*, a local Hugging Face folder; *run*, the
base of another run. What a checkpoint was trained on before it came here is for whoever chooses it to know.

Invariants: the base is checkpoint 0 of the run's first model, so that it serves where everybody objects; ``base.json``
is written last, so that a base without it is begun again where it was cut off.
"""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from demur.errors import UsageError
from demur.files import make_folder, sync
from demur.runs.facts import Base, Facts, read_base, write_base, write_facts
from demur.runs.folder import ModelFolder, RunFolder, answering
from demur.training import order
from demur.training.checkpoints import Checkpoints, Saved, read_tensors
from demur.training.config import Config
from demur.training.declared import Declared
from demur.training.environment import of_now
from demur.training.filling import Plan
from demur.training.log import Log
from demur.training.loop import Report, train
from demur.training.mixing import Shares
from demur.training.model import fresh, keep, of_checkpoint, open_model
from demur.training.rows import Rows
from demur.training.run import MODEL, Run, read_config_of, write_settings
from demur.training.shares import fitted
from demur.training.state import State
from demur.training.tokenizer import fit
from demur.training.tokenizer import keep as keep_tokenizer

_RUN: Final = "run:"
_UNDER_WAY: Final = ".base"
"""The model folder of a base that is being trained."""
_ENCODED_AT_ONCE: Final = 1024


@dataclass(frozen=True)
class Chosen:
    """What was asked for."""

    kind: str
    """fresh, checkpoint or run."""
    declared: tuple[Declared, ...] = ()
    folder: Path | None = None
    """Of a checkpoint."""
    of: RunFolder | None = None
    """Whose base it is."""

    @classmethod
    def read(cls, said: Sequence[str], models: Path) -> Self:
        """The base that a command line asks for.

        Args:
            said: files of declared data, one folder of a checkpoint, or one ``run:NAME``.
            models: the workspace's folder of runs.

        Raises:
            UsageError: when nothing is asked for, or what is there can't be a base.
        """
        if not said:
            raise UsageError(
                "A model needs a base that never saw anybody who may object: give --base with a file of declared data, "
                "the folder of a checkpoint, or run:NAME."
            )
        one = said[0]
        if len(said) == 1 and one.startswith(_RUN):
            return cls("run", of=answering(models, one.removeprefix(_RUN))[0])
        if len(said) == 1 and Path(one).is_dir():
            return cls("checkpoint", folder=Path(one))
        return cls("fresh", tuple(Declared.of(Path(each)) for each in said))


def lay_base(run: Run, chosen: Chosen, facts: Facts, report: Report | None = None) -> Saved:
    """Make the base of a run: tokenizer, network, and checkpoint 0 of its first model, with an empty log.

    Args:
        run: the first model, whose folder is there.
        chosen: from what.
        facts: of that model.
        report: told of each step of a fresh base.

    Raises:
        UsageError: when what it is made from can't be read.
    """
    folder = run.model.run
    make_folder(run.model.path)
    write_facts(run.model, facts)
    if chosen.of is not None:
        keep_tokenizer(chosen.of.tokenizer, folder.tokenizer)
    elif chosen.folder is not None:
        keep_tokenizer(chosen.folder, folder.tokenizer)
    elif not folder.tokenizer.exists():
        fit((text for each in chosen.declared for text in each.texts()), run.config.vocabulary, folder.tokenizer)
    network = _network(run, chosen, facts, report)
    if run.config.memory:
        run = _with_shares(run, chosen, network)
    saved = _first_checkpoint(run, network)
    shutil.rmtree(folder.path / _UNDER_WAY, ignore_errors=True)
    of = None if chosen.of is None else chosen.of.name
    said = tuple(each.facts() for each in chosen.declared)
    declared = said if chosen.of is None else read_base(chosen.of.base).declared
    write_base(folder.base, Base(chosen.kind, of, saved.weights, declared))
    return saved


def is_under_way(folder: RunFolder) -> bool:
    """Whether steps of a run's base may have been taken."""
    return (folder.path / _UNDER_WAY).exists()


def _network(run: Run, chosen: Chosen, facts: Facts, report: Report | None) -> Any:  # noqa: ANN401  # of transformers
    """The base's network, without adapters, with its weights."""
    plain = replace(run.config, adapters=0, cohorts=0, cohort=0, ensemble=False)
    if chosen.folder is not None:
        return of_checkpoint(chosen.folder, plain)
    if chosen.of is not None and read_config_of(chosen.of).adapters:
        return of_checkpoint(chosen.of.path / MODEL, plain)  # which holds what stays
    if chosen.of is not None:
        first = chosen.of.models()[0]
        return _with_weights(chosen.of.path / MODEL, first, 0, plain)
    return _trained(replace(run, config=replace(plain, noise=0.0, memory=False)), chosen.declared, facts, report)


def _with_shares(run: Run, chosen: Chosen, network: Any) -> Run:  # noqa: ANN401  # of transformers
    """A run that remembers, once its configuration says how much that counts.

    Raises:
        UsageError: when nothing is at hand that says so.
    """
    config, of = run.config, None if chosen.of is None else read_config_of(chosen.of)
    if config.ngram_share or config.nearest_share:
        return run
    if of is not None and of.memory:
        shares = Shares(of.ngram_share, of.nearest_share, of.nearest_scale, of.neighbours)
    elif chosen.declared:
        texts = [text for each in chosen.declared for text in each.texts()]
        shares = fitted(network, run.tokenizer, texts, config)
    else:
        raise UsageError(
            "How much a memory counts is fitted on declared data, and this base comes without: say `ngram_share`, "
            "`nearest_share` and `nearest_scale` in the configuration, or take the base of a run that remembers."
        )
    config = replace(config, ngram_share=shares.ngrams, nearest_share=shares.nearest, nearest_scale=shares.scale)
    write_settings(run.model.run, config, run.key)
    return replace(run, config=config)


def _with_weights(described: Path, model: ModelFolder, step: int, config: Config) -> Any:  # noqa: ANN401  # the same
    """A network with the average of a checkpoint."""
    Checkpoints(model).verify(step)
    network = open_model(described, config)
    state = State.of(network, config)
    average = read_tensors(model.checkpoint(step) / "ema.safetensors")
    try:
        state.put({"weights": average, "ema": average, "moments": state.parts()["moments"]})
    except (KeyError, RuntimeError):
        raise UsageError(f"The run {model.run.name} was trained through adapters: choose another base.") from None
    return network


def _trained(run: Run, declared: Sequence[Declared], facts: Facts, report: Report | None) -> Any:  # noqa: ANN401  # the same
    """A network of the configuration, trained on declared data; carried on where it was cut off."""
    folder, under_way = run.model.run, run.model.run.model(_UNDER_WAY)
    described, first = folder.path / MODEL, replace(run, model=under_way)
    plan = _declared_plan(declared, first)
    if not (under_way.log.exists() and under_way.steps()):
        make_folder(under_way.path)
        write_facts(under_way, replace(facts, environment=of_now(run.config).pins))  # no adapters yet
        network = fresh(run.config, first.tokenizer)
        keep(network, described, weights=False)
        _first_checkpoint(first, network)
    last = under_way.newest_clean(None)
    assert last is not None  # the first one at least
    done = train(first, from_step=last, plan=plan, report=report).saved
    return _with_weights(described, under_way, done.step, run.config)


def _declared_plan(declared: Sequence[Declared], run: Run) -> Plan:
    """Declared documents by a keyed hash, so many times as they are read."""
    texts = [text for each in declared for text in each.texts()]
    encoded: list[list[int]] = []
    for at in range(0, len(texts), _ENCODED_AT_ONCE):
        encoded += run.tokenizer.encode(texts[at : at + _ENCODED_AT_ONCE])
    if not encoded:
        raise UsageError("The declared data hold no text: give other ones.")
    items = [hashlib.sha256(text.encode()).digest()[:16] for text in texts]
    rows = Rows.of(items, encoded, [[]] * len(items))
    places = np.zeros(len(rows), np.int64)
    once = order.in_order(rows.item, places, run.key)
    rows = rows.take(np.tile(once, run.config.base_passes))
    return Plan.filled(rows, np.zeros(len(rows), np.int64), run.config.step_tokens)


def _first_checkpoint(run: Run, network: Any) -> Saved:  # noqa: ANN401  # a transformers model
    """Checkpoint 0 of a model, and a log without records."""
    config, described = run.config, run.model.run.path / MODEL
    keep(network, described, weights=bool(config.adapters))
    if config.adapters:
        network = open_model(described, config)
    make_folder(run.model.checkpoints)
    state, environment = State.of(network, config), run.environment().digest
    log = Log.begin(run.model.log, config=run.config_digest, environment=environment, base=weights_digest(state))
    saved = Checkpoints(run.model).save(0, state, tokens=0, chain=log.chain)
    sync(run.model.path)
    return saved


def weights_digest(state: State) -> bytes:
    """SHA-256 over the names and bytes of the weights that change, in their order of names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.weights.items()):
        digest.update(name.encode() + b"\0" + tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.digest()
