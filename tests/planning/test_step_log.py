"""The log of steps: fixed records, chained; what was cut short or edited is named."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import CheckFailed
from demur.training.log import HEADER_BYTES, RECORD_BYTES, Log, Record, chain_of, records, require_config, require_whole

KIND = {"config": b"c" * 32, "environment": b"e" * 32, "base": b"b" * 32}


def record(step: int, loss: float = 2.5) -> Record:
    return Record(step, 100 + step, 1e-3, loss, 0.5, bytes([step % 256]) * 32)


def written(path: Path, steps: int, loss: float = 2.5) -> Log:
    log = Log.begin(path, **KIND)
    for step in range(steps):
        log.append(record(step, loss))
    log.sync()
    return log


def test_records_have_a_fixed_size_and_come_back(tmp_path: Path) -> None:
    log = written(tmp_path / "log.bin", 5)
    assert (RECORD_BYTES, HEADER_BYTES) == (96, 128)
    assert (tmp_path / "log.bin").stat().st_size == 128 + 5 * 96
    assert [each for each, _ in records(tmp_path / "log.bin")] == [record(step) for step in range(5)]
    assert chain_of(tmp_path / "log.bin", 5) == log.chain == require_whole(tmp_path / "log.bin", 5)
    assert (tmp_path / "log.bin").stat().st_mode & 0o777 == 0o600


def test_the_chain_is_what_it_always_was(tmp_path: Path) -> None:
    """A golden value: who holds a certificate checks it against the log of a later demur."""
    assert (
        written(tmp_path / "log.bin", 3).chain.hex()
        == "749df8b6cc9daa44fb67ff2a533452727c9927e4337a4c1ae9ff360e8d62b1c6"
    )


def test_equal_steps_have_equal_bytes_and_others_have_not(tmp_path: Path) -> None:
    written(tmp_path / "a", 4)
    written(tmp_path / "b", 4)
    written(tmp_path / "c", 4, loss=2.25)
    one, same, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == same
    assert one[:HEADER_BYTES] == other[:HEADER_BYTES]
    assert one[-32:] != other[-32:]


@given(st.integers(128, 128 + 4 * 96 - 1), st.integers(0, 7))
def test_a_flipped_bit_is_named(tmp_path_factory: pytest.TempPathFactory, at: int, bit: int) -> None:
    path = tmp_path_factory.mktemp("log") / "log.bin"
    written(path, 4)
    flip(path, at, bit)
    with pytest.raises(CheckFailed, match=rf"log\.bin was changed in the record of step {(at - 128) // 96}"):
        require_whole(path, 4)


@given(st.integers(16, 127), st.integers(0, 7))
def test_a_flipped_bit_in_the_header_gives_a_chain_that_no_checkpoint_knows(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "log.bin"
    chain = written(path, 0).chain
    flip(path, at, bit)
    assert require_whole(path, 0) != chain


def flip(path: Path, at: int, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << bit
    path.write_bytes(data)


def test_a_log_of_another_configuration_is_named(tmp_path: Path) -> None:
    written(tmp_path / "log.bin", 1)
    require_config(tmp_path / "log.bin", b"c" * 32)
    with pytest.raises(CheckFailed, match="of another configuration"):
        require_config(tmp_path / "log.bin", b"d" * 32)


@pytest.mark.parametrize("left", [0, 100, 128, 128 + 96, 128 + 96 + 50, 128 + 3 * 96])
def test_a_log_cut_short_is_named(tmp_path: Path, left: int) -> None:
    path = tmp_path / "log.bin"
    written(path, 4)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(CheckFailed, match=r"log\.bin is cut short"):
        require_whole(path, 4)


def test_a_log_that_goes_on_is_named(tmp_path: Path) -> None:
    written(tmp_path / "log.bin", 4)
    with pytest.raises(CheckFailed, match="goes on"):
        require_whole(tmp_path / "log.bin", 3)


def test_records_that_changed_places_are_named(tmp_path: Path) -> None:
    path = tmp_path / "log.bin"
    written(path, 4)
    data = path.read_bytes()
    first, second = (data[128 + 96 * at : 128 + 96 * (at + 1)] for at in (1, 2))
    path.write_bytes(data[: 128 + 96] + second + first + data[128 + 3 * 96 :])
    with pytest.raises(CheckFailed, match="changed in the record of step 1"):
        require_whole(path, 4)


def test_going_on_drops_what_a_crash_left(tmp_path: Path) -> None:
    path = tmp_path / "log.bin"
    whole = written(tmp_path / "whole", 4)
    written(path, 3)
    with path.open("ab") as file:
        file.write(b"half a record")
    log = Log.reopen(path, 2)
    for step in (2, 3):
        log.append(record(step))
    assert log.chain == whole.chain
    assert path.read_bytes() == (tmp_path / "whole").read_bytes()


def test_a_replay_begins_with_the_first_records_of_another_log(tmp_path: Path) -> None:
    written(tmp_path / "old", 4)
    log = Log.reopen(tmp_path / "new", 2, source=tmp_path / "old")
    assert (tmp_path / "new").read_bytes() == (tmp_path / "old").read_bytes()[: 128 + 2 * 96]
    assert log.chain == chain_of(tmp_path / "old", 2)
    with pytest.raises(CheckFailed, match="has 4 of 9 records"):
        Log.reopen(tmp_path / "new", 9, source=tmp_path / "old")


def test_what_is_no_log_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.bin").write_bytes(bytes(400))
    with pytest.raises(CheckFailed, match="is no log"):
        chain_of(tmp_path / "log.bin", 0)
    with pytest.raises(CheckFailed, match="can't be read"):
        chain_of(tmp_path / "none", 0)


def test_numbers_are_little_endian(tmp_path: Path) -> None:
    written(tmp_path / "log.bin", 1)
    packed = (tmp_path / "log.bin").read_bytes()[128:]
    assert struct.unpack("<IIddd", packed[:32]) == (0, 100, 1e-3, 2.5, 0.5)
