"""What is known of a run for its model card: from its folder, its version's manifest, and the register.

Invariants: nothing is changed, and no row is read; everything is a name, a digest or a count; who somebody is, and
which rows are theirs, is nowhere in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

import orjson

from demur.corpus.session import Session
from demur.errors import CheckFailed, CorpusError, UsageError
from demur.register import Entry
from demur.runs.audited import numbers, read_report
from demur.runs.belonging import named_certificates, read_signed
from demur.runs.facts import SEVERAL, Base, Facts, ModelState, read_base, read_facts
from demur.runs.folder import ModelFolder, RunFolder, called, family_of
from demur.runs.following import withheld_in
from demur.runs.people import read_people
from demur.runs.pointer import read_pointer
from demur.terms import EntryKind
from demur.versions.manifest import Manifest
from demur.versions.states import manifest_of

_BEGIN: Final = (EntryKind.OBJECTION_LODGED, EntryKind.OBJECTION_REVIVED)
_END: Final = (EntryKind.OBJECTION_WITHDRAWN, EntryKind.OBJECTION_LAPSED)


@dataclass(frozen=True)
class Certified:
    """One model of a run, as its certificate has it."""

    model: str
    """Four digits; of a family's cohort with the cohort's name before."""
    kind: str
    """`training`, `replay`, or `retraining`: a replay in another environment than the model before it had."""
    time: datetime
    digest: str
    """SHA-256 of the certificate; "" where there is none that holds and that the register names."""
    fewer: int
    """Accounts that are not in it any more, of those in the model before it."""
    destroyed: bool
    """Whether its checkpoints are."""


@dataclass(frozen=True)
class Audited:
    """A number of an audit."""

    attack: str
    name: str
    value: str
    unit: str
    n: str
    interval: str
    note: str


@dataclass(frozen=True)
class Family:
    """Several cohorts of people, each with adapters of its own over one base, that answer as one."""

    name: str
    cohorts: int
    """How many there are."""
    cohort: int
    """Which of them the card is of, from 1; 0: it is of all."""
    ensemble: bool
    """Whether the mean of their probabilities answers; else one model with their adapters merged does."""
    several: int
    """Rows that concern people of several cohorts, and trained none."""


@dataclass(frozen=True)
class Modelled:
    """What is known of a run, or of a family of cohorts."""

    run: str
    model: str
    """The newest finished one, four digits; of a family that of each cohort, with a plus between them."""
    trained: datetime
    manifest: Manifest | None
    """Of the version that it was trained on; None where that can't be read, or there was none."""
    version: str | None
    base: Base | None
    config: Mapping[str, Any]
    """As its file says; empty for a trainer of somebody's own."""
    at_publishing: int | None
    """Objections that were in force when the version was published; None without one."""
    at_training: int
    """Those in force at the state of the register that the newest model was made under; the earliest, of cohorts."""
    since: int
    """Objections that were lodged, or came back, after that."""
    certified: Sequence[Certified]
    """Every model of the run, oldest first; of a family cohort by cohort."""
    waiting: int
    """Accounts in the newest model that may not be in it: the pointer stands before them, and a replay is to come."""
    serves: str
    """`all of it`, `an earlier state of it` or `nothing`."""
    left: int
    """Times that weights were handed out."""
    audited: Sequence[Audited]
    not_run: Sequence[tuple[str, str]]
    """Attacks that an audit names as not tried, and why."""
    family: Family | None = None
    """Of which the run is a cohort, or which it is of as a whole; None for a run of its own."""


@dataclass(frozen=True)
class _Part:
    """A run, or one cohort of a family."""

    run: RunFolder
    known: Mapping[str, Facts]
    """Of each of its models, by number."""
    model: ModelFolder
    """The newest finished one."""

    @classmethod
    def of(cls, run: RunFolder) -> Self:
        """Of a run.

        Raises:
            UsageError: when none of its models is finished.
            CorpusError: when its files are damaged.
        """
        known = {model.number: read_facts(model) for model in run.models() if model.facts.exists()}
        finished = [number for number, facts in known.items() if facts.state is ModelState.FINISHED]
        if not finished:
            raise UsageError(f"Nothing of the run {run.name} is finished: train it to its end, then write its card.")
        return cls(run, known, run.model(max(finished)))

    @property
    def facts(self) -> Facts:
        """Of the newest finished model."""
        return self.known[self.model.number]

    @property
    def first(self) -> Facts:
        """Of its first model."""
        return self.known[min(self.known)]


def modelled(session: Session, name: str) -> Modelled:
    """What is known of a run, or of a family of cohorts.

    Raises:
        UsageError: when there is none of that name, or none of its models is finished.
        CorpusError: when its files are damaged.
    """
    parts = [_Part.of(run) for run in called(session.workspace.models_path, name)]
    models, first = [each.model for each in parts], parts[0]
    manifest = _manifest(session, first.first.version)
    log = list(session.register.log.entries())
    audited = read_report(models)
    at = min(each.facts.checkpoint.seq for each in parts)
    return Modelled(
        run=name,
        model=numbers(models),
        trained=max(each.facts.finished or each.facts.started for each in parts),
        manifest=manifest,
        version=first.first.version,
        base=read_base(first.run.base) if first.run.base.exists() else None,
        config=_json(first.run.config),
        at_publishing=None if manifest is None else in_force(log, manifest.checkpoint.seq),
        at_training=in_force(log, at),
        since=sum(entry.kind in _BEGIN for entry in log if entry.seq > at),
        certified=[each for part in parts for each in _certified(session, part, of_family=len(parts) > 1)],
        waiting=sum(_waiting(session, each) for each in models),
        serves=_serves(parts),
        left=max(_times_left(log, each.run.name) for each in parts),  # a family's weights leave as one, noted for each
        audited=list(_figures(audited)),
        not_run=list(_not_run(audited)),
        family=_family(name, first),
    )


def _family(name: str, part: _Part) -> Family | None:
    config, family = _json(part.run.config), family_of(part.run)
    if family is None:
        return None
    cohort, several = 0 if name == family else int(config.get("cohort", 0)), part.first.unknown.get(SEVERAL, 0)
    return Family(family, int(config.get("cohorts", 0)), cohort, bool(config.get("ensemble")), int(str(several)))


def _waiting(session: Session, model: ModelFolder) -> int:
    return len(withheld_in(model, session.register, session.policy, session.now)) if _has_people(model) else 0


def _times_left(log: Sequence[Entry], run: str) -> int:
    return sum(entry.kind is EntryKind.RUN_EXPORTED and entry.payload.get("run") == run for entry in log)


def in_force(log: Sequence[Entry], seq: int) -> int:
    """How many objections were in force at an entry, as the log tells it."""
    stands: dict[object, bool] = {}
    for entry in log:
        if entry.seq > seq:
            break
        if entry.kind in _BEGIN or entry.kind in _END:
            stands[entry.payload.get("reference", entry.seq)] = entry.kind in _BEGIN
    return sum(stands.values())


def _manifest(session: Session, version: str | None) -> Manifest | None:
    try:
        return None if version is None else manifest_of(session, version)
    except CorpusError:
        return None


def _certified(session: Session, part: _Part, *, of_family: bool) -> Iterator[Certified]:
    public_key, before, named = session.keys.signing.public_key(), None, named_certificates(session.register)
    for number, facts in sorted(part.known.items()):
        if facts.state is ModelState.RUNNING:
            continue
        model = part.run.model(number)
        try:
            signed = read_signed(model, public_key)
            said, digest = signed.facts, signed.digest if signed.digest in named else ""
        except CheckFailed:
            said, digest = {}, ""
        kind = "training" if facts.parent is None else "replay"
        if before is not None and facts.parent is not None and facts.environment != before.environment:
            kind = "retraining"
        time, destroyed = facts.finished or facts.started, facts.state is ModelState.DESTROYED
        yield Certified(model.name if of_family else number, kind, time, digest, _fewer(said), destroyed)
        before = facts


def _fewer(certificate: Mapping[str, Any]) -> int:
    """How many accounts a certificate says are gone."""
    try:
        people = certificate["people"]
        return max(int(people["before"]["people"]) - int(people["after"]["people"]), 0) if people["before"] else 0
    except (KeyError, TypeError, ValueError):
        return 0


def _has_people(model: ModelFolder) -> bool:
    try:
        return bool(len(read_people(model).keys))
    except CorpusError:
        return False


def _serves(parts: Sequence[_Part]) -> str:
    pointers = [read_pointer(each.run) for each in parts]
    if None in pointers:
        return "nothing"
    there = [(each.model, each.checkpoint) for each in pointers if each is not None]
    whole = [(each.model.number, max(each.model.steps(), default=0)) for each in parts]
    return "all of it" if there == whole else "an earlier state of it"


# what an audit left, read as it is, for another demur may have written it


def _json(path: Path) -> Mapping[str, Any]:
    """What a file of JSON says; nothing where there is none, or it is no object."""
    try:
        said = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _figures(audit: Mapping[str, Any]) -> Iterator[Audited]:
    for finding in _objects(audit.get("findings")):
        for figure in _objects(finding.get("figures")):
            between = figure.get("interval")
            interval = " to ".join(map(_number, between)) if isinstance(between, list) and between else ""
            value = "" if figure.get("value") is None else _number(figure["value"])
            n = f"{_text(figure.get('n'))} {_text(figure.get('of'))}".strip()
            told = (_text(finding.get("attack")), _text(figure.get("name")), value, _text(figure.get("unit")), n)
            yield Audited(*told, interval, _text(figure.get("note")))


def _not_run(audit: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for each in _objects(audit.get("not_run")):
        yield _text(each.get("attack")), _text(each.get("why"))


def _objects(said: object) -> Iterator[Mapping[str, Any]]:
    return (each for each in (said if isinstance(said, list) else []) if isinstance(each, dict))


def _number(said: object) -> str:
    """A number as it is printed; whatever is none, as it is."""
    try:
        return f"{float(str(said)):.3f}"
    except ValueError:
        return _text(said)


def _text(said: object) -> str:
    return "" if said is None else str(said)
