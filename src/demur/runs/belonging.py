"""Do the models belong to the register, and are they what they say? Certificates, people, and what serves.

Invariants: nothing is changed; a finished model whose certificate this workspace signed is named by an entry, so that a
register without that entry is an older one, or another one, and is refused; a model that is still under way may have a
certificate of which no entry tells yet.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.errors import CheckFailed, CorpusError, RegisterError
from demur.identity import SubjectKeys
from demur.policy import Policy
from demur.register import Register
from demur.runs.facts import ModelState, read_facts
from demur.runs.folder import ModelFolder, RunFolder, runs_in
from demur.runs.following import withheld_in
from demur.runs.forgetting import opened as opened_store
from demur.runs.forgetting import remembers
from demur.runs.people import people_of, read_people
from demur.runs.pointer import read_pointer
from demur.suppression.signed import opened
from demur.terms import EntryKind

FORMAT: Final = 1
"""Of certificates; one with a higher one is not read."""


@dataclass(frozen=True)
class Signed:
    """A certificate whose signature holds."""

    facts: dict[str, Any]
    digest: str
    """SHA-256 of the file, lowercase hexadecimal: what the register's entry names."""


def read_signed(model: ModelFolder, public_key: Ed25519PublicKey) -> Signed:
    """The certificate of a model.

    Raises:
        CheckFailed: when it is missing, was changed, or is of another model.
    """
    again = f"replay the run (`demur replay {model.run.name}`)"
    try:
        data = model.certificate.read_bytes()
        facts = opened(data, public_key, FORMAT, what="certificate", where=str(model.certificate), again=again)
    except OSError as error:
        raise CheckFailed(f"{model.certificate} can't be read ({error.strerror}): put it back.") from None
    except CorpusError as error:
        raise CheckFailed(str(error)) from None
    if (facts.get("run"), facts.get("model")) != (model.run.name, model.number):
        raise CheckFailed(f"{model.certificate} is the certificate of another model: put back the one of {model.name}.")
    return Signed(facts, hashlib.sha256(data).hexdigest())


def named_certificates(register: Register) -> set[str]:
    """The digests of all certificates that entries of the register name."""
    kinds = (EntryKind.RUN_TRAINED, EntryKind.RUN_REPLAYED)
    return {str(entry.payload.get("certificate")) for kind in kinds for entry in register.log.entries(kind)}


def require_models(register: Register, models: Path, public_key: Ed25519PublicKey) -> None:
    """Make sure that the register knows every finished model that this workspace certified.

    Raises:
        RegisterError: when it does not: it is older than the model, or another one.
    """
    finished = [model for run in runs_in(models) for model in run.models() if _is_finished(model)]
    if not finished:
        return
    named = named_certificates(register)
    for model in finished:
        try:
            signed = read_signed(model, public_key)
        except CheckFailed:
            continue  # what `demur verify` finds
        if signed.digest not in named:
            raise RegisterError(
                f"The register does not know the model {model.name}, whose signed certificate is {model.certificate}: "
                "it is older than that, or another one. Nothing was changed; put the newer register back, or restore a "
                "backup with `demur restore`."
            )


def findings(models: Path, register: Register, policy: Policy, public_key: Ed25519PublicKey) -> Iterator[str]:
    """What is wrong with the models, a sentence each; no weights are read (`demur replay RUN --verify` trains again).

    Args:
        models: the workspace's folder; it need not be there.
        register: the workspace's.
        policy: with the age limit in force.
        public_key: that certificates are signed with.
    """
    runs = [run for run in runs_in(models) if not run.is_tracked]  # whose models have no certificate
    named = named_certificates(register) if runs else set()
    for run in runs:
        for model in run.models():
            yield from _of_certificate(model, named, public_key)
            yield from _of_people(model)
        yield from _of_pointer(run, register, policy)


def _of_certificate(model: ModelFolder, named: set[str], public_key: Ed25519PublicKey) -> Iterator[str]:
    try:
        state = read_facts(model).state
        if state is not ModelState.RUNNING and read_signed(model, public_key).digest not in named:
            yield f"No entry of the register names the certificate {model.certificate}."
    except (CheckFailed, CorpusError) as error:
        yield str(error)


def _of_people(model: ModelFolder) -> Iterator[str]:
    try:
        if model.plan.exists():
            said, found = people_of(pq.read_table(model.plan, columns=["step", "people"])), read_people(model)
            if not (np.array_equal(said.keys, found.keys) and np.array_equal(said.steps, found.steps)):
                yield f"The people of the model {model.name} are not those of its plan."
    except CorpusError as error:
        yield str(error)
    except (OSError, pa.ArrowException):
        yield f"{model.plan} can't be read."


def _of_pointer(run: RunFolder, register: Register, policy: Policy) -> Iterator[str]:
    try:
        pointer = read_pointer(run)
        if pointer is None:
            return
        model = run.model(pointer.model)
        if pointer.checkpoint not in model.steps():
            yield f"The run {run.name} serves checkpoint {pointer.checkpoint} of {model.name}, which is not there."
        gone = withheld_in(model, register, policy, datetime.now().astimezone())
        if remembers(model):
            yield from _of_store(model, gone)
        first = read_people(model).first_step(gone)
        if first is not None and first < pointer.checkpoint:
            yield (
                f"The run {run.name} serves checkpoint {pointer.checkpoint} of {model.name}, which has seen rows of "
                "people who may not be in it: any command that records something, and whatever serves, moves it."
            )
    except CorpusError as error:
        yield str(error)


def _of_store(model: ModelFolder, gone: SubjectKeys) -> Iterator[str]:
    with opened_store(model) as store:
        yield from store.findings()
        if len(np.setdiff1d(store.people(), read_people(model).keys)):
            yield f"The store of the model {model.name} holds rows of people who are not in its plan."
        if store.holds(gone):
            yield (
                f"The store of the model {model.name} holds rows of people who may not be in it: any command that "
                "records something, and whatever serves, takes them out."
            )


def _is_finished(model: ModelFolder) -> bool:
    try:
        return model.certificate.exists() and read_facts(model).state is not ModelState.RUNNING
    except CorpusError:
        return False
