"""The log of a model's steps: a header and a record of 96 bytes a step, each chained to all before it.

::

    header  128 bytes   magic 8, format uint32, record size uint32, configuration 32, environment 32, base 32, zeros 16
    record   96 bytes   step uint32, tokens uint32, rate float64, loss float64, gradient norm float64,
                        SHA-256 of the step's items and token ids 32, chain 32

Numbers are little-endian. A record's chain is ``SHA-256(chain before || the record's first 64 bytes)``; before the
first record it is the SHA-256 of the header. The loss is in nats a predicted token, of the step's first pass; rate and
gradient norm (before clipping) are of its last update. No key of a person stands in it.

Invariants: what is read was checked, record by record; a log that ends in the middle of a record, or lacks records, is
named as cut short, one whose chain breaks as changed, with the first record that is wrong.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from demur.errors import CheckFailed
from demur.files import write_durably

MAGIC: Final = b"demurlog"
FORMAT: Final = 1
_HEADER: Final = struct.Struct("<8sII32s32s32s16x")
_RECORD: Final = struct.Struct("<IIddd32s32s")
HEADER_BYTES: Final = _HEADER.size
RECORD_BYTES: Final = _RECORD.size
_CHAINED: Final = RECORD_BYTES - 32


@dataclass(frozen=True)
class Record:
    """One step."""

    step: int
    """From 0."""
    tokens: int
    """Of its rows."""
    rate: float
    """Of its last update."""
    loss: float
    """Nats a predicted token, before its first update."""
    norm: float
    """Of the gradient of its last update, before clipping."""
    rows: bytes
    """SHA-256 of its items and token ids (plan.step_digest)."""

    def packed(self, chain: bytes) -> bytes:
        """Its 96 bytes, after a record with that chain."""
        plain = _RECORD.pack(self.step, self.tokens, self.rate, self.loss, self.norm, self.rows, bytes(32))[:_CHAINED]
        return plain + hashlib.sha256(chain + plain).digest()


class Log:
    """A log that is written; one process at a time does."""

    def __init__(self, path: Path, chain: bytes, steps: int) -> None:
        self._path = path
        self.chain = chain
        self.steps = steps

    @classmethod
    def begin(cls, path: Path, *, config: bytes, environment: bytes, base: bytes) -> Self:
        """A log without records, in the place of any that is there.

        Args:
            path: where.
            config: SHA-256 of the configuration.
            environment: SHA-256 of the environment.
            base: SHA-256 of the base's weights.
        """
        header = _HEADER.pack(MAGIC, FORMAT, RECORD_BYTES, config, environment, base)
        write_durably(path, header)
        return cls(path, hashlib.sha256(header).digest(), 0)

    @classmethod
    def reopen(cls, path: Path, steps: int, *, source: Path | None = None) -> Self:
        """The log of the first ``steps`` steps; what stands behind them, a crash's leavings, is cut off.

        Args:
            path: where it is written.
            steps: how many of its records count.
            source: the log of which it is the beginning, where that is another one.

        Raises:
            CheckFailed: when these records are not all there, or were changed.
        """
        origin = source or path
        chain = chain_of(origin, steps)
        end = HEADER_BYTES + RECORD_BYTES * steps
        if source is not None or path.stat().st_size != end:
            with origin.open("rb") as file:
                write_durably(path, file.read(end))
        return cls(path, chain, steps)

    def append(self, record: Record) -> None:
        """Add a step; it is on disk after :meth:`sync`."""
        assert record.step == self.steps  # the loop's own
        packed = record.packed(self.chain)
        with self._path.open("ab") as file:
            file.write(packed)
        self.chain, self.steps = packed[_CHAINED:], self.steps + 1

    def sync(self) -> None:
        """Bring it to the disk."""
        with self._path.open("rb") as file:
            os.fsync(file.fileno())


def require_config(path: Path, config: bytes) -> None:
    """Make sure that a log is one of a configuration, by its SHA-256.

    Raises:
        CheckFailed: when it is of another one.
    """
    if _HEADER.unpack(_read(path)[:HEADER_BYTES])[3] != config:
        raise CheckFailed(f"{path} is of another configuration than the run's: put both back from your backup.")


def records(path: Path) -> Iterator[tuple[Record, bytes]]:
    """The records of a log and their chains, each checked.

    Raises:
        CheckFailed: at the first record that is cut short or was changed.
    """
    data = _read(path)
    chain = hashlib.sha256(data[:HEADER_BYTES]).digest()
    whole, rest = divmod(len(data) - HEADER_BYTES, RECORD_BYTES)
    for number in range(whole):
        at = HEADER_BYTES + RECORD_BYTES * number
        packed = data[at : at + RECORD_BYTES]
        step, tokens, rate, loss, norm, rows, said = _RECORD.unpack(packed)
        chain = hashlib.sha256(chain + packed[:_CHAINED]).digest()
        if said != chain or step != number:
            raise CheckFailed(f"{path} was changed in the record of step {number}: {_AGAIN}")
        yield Record(step, tokens, rate, loss, norm, rows), chain
    if rest:
        raise CheckFailed(f"{path} is cut short in the record of step {whole}: {_AGAIN}")


def chain_of(path: Path, steps: int) -> bytes:
    """The chain after the first ``steps`` records; what stands behind them is not looked at.

    Raises:
        CheckFailed: when these records are not all there, or were changed.
    """
    chain, found = hashlib.sha256(_read(path)[:HEADER_BYTES]).digest(), 0
    if not steps:
        return chain
    for _, chain in records(path):
        found += 1
        if found == steps:
            return chain
    raise CheckFailed(f"{path} is cut short: it has {found} of {steps} records: {_AGAIN}")


def require_whole(path: Path, steps: int) -> bytes:
    """The chain of a log that has exactly ``steps`` records.

    Raises:
        CheckFailed: when it has others.
    """
    if (found := sum(1 for _ in records(path))) != steps:
        how = "is cut short" if found < steps else "goes on"
        raise CheckFailed(f"{path} {how}: it has {found} records where the model has {steps} steps: {_AGAIN}")
    return chain_of(path, steps)


_AGAIN: Final = "put it back from your backup, or train the run again."


def _read(path: Path) -> bytes:
    """The bytes of a log with a sound header.

    Raises:
        CheckFailed: when it is missing or no log.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CheckFailed(f"{path} can't be read ({error.strerror}): {_AGAIN}") from None
    if len(data) < HEADER_BYTES:
        raise CheckFailed(f"{path} is cut short in its header: {_AGAIN}")
    magic, format_, size, *_ = _HEADER.unpack(data[:HEADER_BYTES])
    if magic != MAGIC or format_ != FORMAT or size != RECORD_BYTES:
        raise CheckFailed(f"{path} is no log that this demur reads: {_AGAIN}")
    return data
