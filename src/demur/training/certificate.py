"""The certificate of a model: what it was made from and what came of it, signed, and named by an entry of the register.

``certificate.json`` is the public form: it tells no step, no number of tokens and no plan, which for a single person
would tell how much they wrote. It commits to these by a salted digest; they stand beside it, in
``certificate.private.json``, for whoever checks on the controller's premises. The roots over people's keys are trees in
which the key decides the place (versions/subjects.py): each person can be shown to be in a model, or not to be.

Invariants: equal facts have equal bytes (RFC 8785); the register's entry holds the digest of the whole signed file;
what a replay says of the people before it is what the certificate of its parent said of them.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from demur.canonical import JSON, canonical_json
from demur.corpus.session import Session
from demur.errors import CheckFailed
from demur.files import write_durably
from demur.runs import render
from demur.runs.belonging import FORMAT, named_certificates, read_signed
from demur.runs.facts import SEVERAL, Facts, read_base, read_facts
from demur.runs.folder import ModelFolder
from demur.runs.forgetting import has_forgotten, opened, remembers
from demur.runs.people import read_people
from demur.suppression.signed import envelope, file_digest, rfc3339
from demur.training.canaries import are_canaries
from demur.training.checkpoints import Checkpoints
from demur.training.loop import Outcome
from demur.training.private import facts_of
from demur.training.run import Run
from demur.versions.lineage import Roots, roots_of

PRIVATE: Final = "certificate.private.json"
_NONCE_BYTES: Final = 32


@dataclass(frozen=True)
class Certificate:
    """A certificate that was read, its signature checked."""

    facts: Mapping[str, Any]
    """The public form."""
    private: Mapping[str, Any]
    """Steps, tokens and plans; empty where they are not at hand."""
    digest: str
    """SHA-256 of the signed file, lowercase hexadecimal: what the register's entry names."""


@dataclass(frozen=True)
class Before:
    """What a replay began from."""

    model: ModelFolder
    """The parent."""
    facts: Facts
    roots: Roots
    plan: str
    """Digest of its plan."""
    first: int | None
    """The first step of it that differs; None where none does."""
    begun: int
    """The checkpoint from which the replay went on."""
    releases: int = 0
    """Trainings and replays up to it, where they are private (training.private)."""


def before(session: Session, model: ModelFolder, plan: str, first: int | None, begun: int) -> Before:
    """What a replay begins from; the people as the parent's own certificate has them."""
    facts = read_facts(model)
    try:
        said = read_certificate(model, session.keys.signing.public_key()).facts
        roots, releases = Roots.read(said["people"]["after"]), int(said.get("privacy", {}).get("releases", 0))
    except (CheckFailed, KeyError, TypeError, ValueError):  # it has none that holds: each model before was a release
        roots, releases = roots_of(read_people(model).keys), int(model.number)
    return Before(model, facts, roots, plan, first, begun, releases)


def certify(session: Session, run: Run, outcome: Outcome, earlier: Before | None = None) -> Certificate:
    """Make and sign the certificate of a model whose last step is taken, in the place of any that stands there.

    Args:
        session: of the workspace; its key signs.
        run: the model.
        outcome: what came of it.
        earlier: what it replays; None for a first training.
    """
    model, saved, instance = run.model, outcome.saved, session.register.instance
    private: dict[str, JSON] = {
        "begun": None if earlier is None else earlier.begun,
        "first": None if earlier is None else earlier.first,
        "nonce": secrets.token_hex(_NONCE_BYTES),
        "plan": {"after": outcome.plan.digest(), "before": None if earlier is None else earlier.plan},
        "rows": len(outcome.plan),
        "canaries": int(are_canaries(outcome.plan.rows).sum()),
        "steps": saved.step,
        "tokens": saved.tokens,
    }
    facts: dict[str, JSON] = {
        "base": read_base(model.run.base).weights,
        "chain": saved.chain.hex(),
        "checkpoints": checkpoints_digest(model),
        "code": code_digest(),
        "config": file_digest(model.run.config),
        "ema": saved.ema,
        "environment": dict(run.facts().environment),
        "format": FORMAT,
        "incarnation": 1 if instance is None else instance.incarnation,
        "instance": None if instance is None else instance.id,
        "kind": "training" if earlier is None else "replay",
        "model": model.number,
        "moments": saved.moments,
        "parent": None if earlier is None else earlier.model.name,
        "people": {
            "after": roots_of(read_people(model).keys).facts(),
            "before": None if earlier is None else earlier.roots.facts(),
        },
        "private": hashlib.sha256(canonical_json(private)).hexdigest(),
        "register": {
            "after": run.facts().checkpoint.facts(),
            "before": None if earlier is None else earlier.facts.checkpoint.facts(),
        },
        "run": model.run.name,
        "time": rfc3339(session.now),
        "tokenizer": file_digest(model.run.tokenizer / "tokenizer.json"),
        "version": run.facts().version,
        "weights": saved.weights,
    }
    if run.config.memory:
        facts["store"] = store_digest(model)
    if run.config.noise:
        facts["privacy"] = facts_of(run, 1 if earlier is None else earlier.releases + 1)
    signed = envelope(facts, session.keys.signing)
    write_durably(model.path / PRIVATE, canonical_json(private))
    write_durably(model.certificate, signed)
    return Certificate(facts, private, hashlib.sha256(signed).hexdigest())


def read_certificate(model: ModelFolder, public_key: Ed25519PublicKey) -> Certificate:
    """The certificate of a model, with what stands beside it.

    Raises:
        CheckFailed: when it is missing, was changed, or is of another model.
    """
    signed = read_signed(model, public_key)
    facts = signed.facts
    return Certificate(facts, _private(model, str(facts.get("private"))), signed.digest)


def check(session: Session, model: ModelFolder) -> Certificate:
    """Check a model's files against its certificate, and the certificate against the register; nothing is trained.

    Raises:
        CheckFailed: naming the first thing that is not what was signed.
    """
    certificate = read_certificate(model, session.keys.signing.public_key())
    facts = certificate.facts
    if certificate.digest not in named_certificates(session.register):
        raise CheckFailed(f"No entry of the register names the certificate {model.certificate}: it was made elsewhere.")
    run = Run.open(model)
    saved = Checkpoints(model).verify(max(model.steps(), default=0))
    plan = run.plan()
    roots = Roots.read(facts["people"]["after"])
    said: dict[str, str | None] = {
        "config": file_digest(model.run.config),
        "tokenizer": file_digest(model.run.tokenizer / "tokenizer.json"),
        "checkpoints": checkpoints_digest(model),
        "chain": saved.chain.hex(),
        "weights": saved.weights,
        "moments": saved.moments,
        "ema": saved.ema,
    }
    if run.config.memory and not has_forgotten(model):
        said["store"] = store_digest(model)
    wrong = [name for name, value in said.items() if facts[name] != value]
    wrong += ["plan"] if certificate.private and certificate.private["plan"]["after"] != plan.digest() else []
    wrong += ["people"] if roots_of(plan.people(), bytes.fromhex(roots.salt)) != roots else []
    if wrong:
        raise CheckFailed(
            f"The {wrong[0]} of the model {model.name} is not what its certificate says: put its folder back from your "
            "backup, or train the run again."
        )
    return certificate


def is_on_record(session: Session, model: ModelFolder, outcome: Outcome) -> bool:
    """Whether the register names the certificate of a model that came to this outcome."""
    if not model.certificate.exists():
        return False
    try:
        certificate = read_certificate(model, session.keys.signing.public_key())
    except CheckFailed:
        return False
    if certificate.facts["chain"] != outcome.saved.chain.hex():
        return False
    return certificate.digest in named_certificates(session.register)


def store_digest(model: ModelFolder) -> str | None:
    """SHA-256 of what a model remembers beside its weights; None where that is nothing."""
    if not remembers(model):
        return None
    with opened(model) as store:
        return store.digest()


def checkpoints_digest(model: ModelFolder) -> str:
    """SHA-256 over what each checkpoint says of itself, in order: so a spot check stands on what was signed."""
    digest = hashlib.sha256()
    for step in model.steps():
        digest.update(hashlib.sha256(Checkpoints(model).saved(step).to_bytes()).digest())
    return digest.hexdigest()


def code_digest() -> str:
    """SHA-256 over demur's release, what a row gives and the files of this package: what else decides about bytes."""
    digest = hashlib.sha256(_release().encode())
    for path in [Path(render.__file__), *sorted(Path(__file__).parent.glob("*.py"))]:
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def with_lineage(certificate: Certificate) -> dict[str, JSON]:
    """What the register's entry says of a model: its lineage, and the certificate by its digest."""
    facts = certificate.facts
    names = ("version", "parent", "config", "code", "weights", "ema", "chain")
    said: dict[str, JSON] = {name: facts[name] for name in names}
    return said | {
        "register": facts["register"]["after"],
        "people": facts["people"]["after"],
        "certificate": certificate.digest,
    }


def settled(facts: Facts) -> Facts:
    """Facts without what only an unfinished model needs."""
    stays = {name: value for name, value in facts.unknown.items() if name in {"plans", SEVERAL}}
    return replace(facts, stopped=None, unknown=stays)


def _private(model: ModelFolder, digest: str) -> dict[str, Any]:
    """What stands beside the certificate.

    Raises:
        CheckFailed: when it is not what the certificate commits to.
    """
    path = model.path / PRIVATE
    if not path.exists():
        return {}
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise CheckFailed(f"{path} was changed: put it back from your backup; the certificate beside it stands.")
    return dict(orjson.loads(data))


def _release() -> str:
    try:
        return version("demur")
    except PackageNotFoundError:  # run from a source tree
        return "source"
