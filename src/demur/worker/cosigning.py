"""The witnesses are asked to cosign the log's newest checkpoint, in steps of their own: no objection waits for one.

Invariants: each witness is asked side by side with the others, for seconds at most, and by one worker of the register;
a witness that cosigned another size gets the proof from there; one that cosigned more than this register has, or that
says that the log does not go on from what it saw, is told in the log and by `demur log cosign`: then the register is an
older one, or it was changed.
"""

import http.client
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from demur.errors import UsageError
from demur.policy import Policy
from demur.register import Register
from demur.transparency.policy import Named, WitnessPolicy
from demur.witnessing.asking import Reply, Said, Wanted, ask
from demur.worker.delivery import IDLE_S
from demur.worker.depot import Depot
from demur.worker.lanes import log
from demur.workspace import Workspace

_REST_S: Final = 60.0
"""Seconds between two rounds: a checkpoint is signed with each commit, and witnesses are asked less often."""
_MOST_ASKED: Final = 8
_MOST_TRIES: Final = 4


@dataclass(frozen=True)
class Asked:
    """What came of asking one witness."""

    name: str
    """In the file of witnesses."""
    said: str
    """`cosigned`, `ahead` (it cosigned more than the register has), `fork` (its log does not go on as ours does),
    `refused` or `unreachable`."""
    size: int
    """Entries that it cosigned; or had cosigned before, where it is ahead."""
    sentence: str
    """The same, for people."""

    @property
    def is_alarm(self) -> bool:
        """Whether it says that this register is an older one, or that its log was changed."""
        return self.said in {"ahead", "fork"}


def witnesses_of(workspace: Workspace, policy: Policy) -> WitnessPolicy | None:
    """The witnesses that demur.toml names; None where it names none.

    Raises:
        UsageError: when the file can't be read, or is no such list.
    """
    if not policy.log.witnesses:
        return None
    path = workspace.root / policy.log.witnesses
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path}, the list of witnesses (log.witnesses in demur.toml), can't be read ({error.strerror}): put it "
            "there, or correct the line."
        ) from None
    try:
        return WitnessPolicy.read(raw)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def ask_all(register: Register, witnesses: Sequence[Named], *, again: bool = False) -> list[Asked]:
    """Ask every witness that has not cosigned the newest checkpoint; what they signed is kept.

    Args:
        register: whose log it is.
        witnesses: those with an address are asked.
        again: ask those, too, that have cosigned it: so one finds out whether they are ahead.

    Raises:
        RegisterError: when the log has no checkpoint yet.
    """
    proving = register.proving
    note = _bare(proving.checkpoint())
    size, reached = proving.history.read(note.encode()).size, proving.reached()
    due = [each for each in witnesses if each.url and (again or reached.get(each.key.text, 0) < size)]
    if not due:
        return []

    def one(named: Named) -> tuple[Named, Reply]:
        return named, _ask(register, named, note, size, min(size, reached.get(named.key.text, 0)))

    with ThreadPoolExecutor(min(len(due), _MOST_ASKED)) as pool:
        replies = list(pool.map(one, due))
    proving.keep_cosignatures(
        size, {named.key.text: reply.line for named, reply in replies if reply.said is Said.COSIGNED}
    )
    now = _size(register) if any(reply.size > size for _, reply in replies) else size  # another process may have asked
    return [_told(named, reply, size, now) for named, reply in replies]


def _size(register: Register) -> int:
    return register.proving.history.read(register.proving.checkpoint().encode()).size


def _bare(note: str) -> str:
    """A checkpoint with the signatures of the log alone."""
    origin = note.partition("\n")[0]
    text, _, lines = note.rpartition("\n\n")
    ours = (line for line in lines.splitlines(keepends=True) if line.startswith(f"\N{EM DASH} {origin} "))
    return f"{text}\n\n{''.join(ours)}"


def _ask(register: Register, named: Named, note: str, size: int, old: int) -> Reply:
    reply = Reply(Said.UNREACHABLE)
    for _ in range(_MOST_TRIES):
        reply = _once(register, named, note, size, old)
        if reply.said is not Said.BEYOND or reply.size > size or reply.size == old:
            break
        old = reply.size  # another process may ask the same one, and be faster
    return reply


def _once(register: Register, named: Named, note: str, size: int, old: int) -> Reply:
    proof = register.proving.consistency(old, size) if 0 < old < size else []
    return ask(named.url, named.key, Wanted(note, old, proof), int(time.time()))


def _told(named: Named, reply: Reply, size: int, now: int) -> Asked:
    """What an answer means for a checkpoint of a size, where the log ends at ``now``."""
    name = named.name
    match reply.said:
        case Said.COSIGNED:
            said, at, told = "cosigned", size, f"{name} cosigned the log of {size:,} entries."
        case Said.BEYOND if reply.size > now:
            said, at = "ahead", reply.size
            told = (
                f"{name} has cosigned {reply.size:,} entries of this log, and the register ends at entry {now:,}, "
                f"{reply.size - now:,} before: it is an older one. Stop, and restore the newest backup with its mark."
            )
        case Said.BEYOND if reply.size == size:
            said, at, told = "fork", size, _forked(name, size)
        case Said.REFUSED if reply.status == http.client.UNPROCESSABLE_ENTITY:  # the proof does not hold
            said, at, told = "fork", size, _forked(name, size)
        case Said.REFUSED:
            said, at = "refused", 0
            told = f"{name} did not cosign ({_why(reply.status)}): give its operator `demur log key`."
        case _:
            said, at = "unreachable", 0
            told = f"{name} could not be asked ({reply.status or 'no answer'}): it is asked again."
    return Asked(name, said, at, told)


def _why(status: int) -> str:
    if status == http.client.NOT_FOUND:
        return "it does not know this log"
    return "it does not know the log's key" if status == http.client.FORBIDDEN else f"its answer was {status}"


def _forked(name: str, size: int) -> str:
    return (
        f"{name} says that the log does not go on from what it cosigned, up to {size:,} entries: one of the two was "
        "changed. `demur verify` looks at every entry; `demur log compare` holds two states against each other."
    )


class Cosigning:
    """The lane."""

    name = "witnesses"

    def __init__(self, depot: Depot) -> None:
        self.counts: Counter[str] = Counter()
        self._depot = depot
        self._next = 0.0

    def turn(self) -> float:
        """Ask those that are due."""
        policy = self._depot.policy()
        if not policy.log.witnesses or not self._depot.shift.leads or time.monotonic() < self._next:
            return IDLE_S
        self._next = time.monotonic() + _REST_S
        witnesses = witnesses_of(self._depot.workspace, policy)
        assert witnesses is not None  # demur.toml names some
        if not self._depot.register.proving.begun:
            return IDLE_S
        for each in ask_all(self._depot.register, witnesses.witnesses):
            self.counts[each.said] += 1
            if each.said != "cosigned":
                log(f"witnesses.{each.said}", witness=each.name, size=each.size, why=each.sentence)
        return IDLE_S

    def close(self) -> None:
        """Nothing is open."""
