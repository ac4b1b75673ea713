"""A file that is being sent: read back as it came, and never in the clear on the disk."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.web import forms
from demur.web.server.spool import Spool


@given(st.lists(st.tuples(st.binary(max_size=50), st.integers(0, 3000)), max_size=12))
def test_what_was_written_is_read_back_in_whatever_pieces_it_came(pieces: list[tuple[bytes, int]]) -> None:
    parts = [piece * times for piece, times in pieces]
    spool = Spool(Path("/tmp"))
    for part in parts:
        spool.write(part)
    spool.seek(0)
    assert spool.read() == b"".join(parts)
    assert spool.read() == b"".join(parts), "as often as it is asked for"
    spool.close()


def test_the_disk_holds_no_name_and_no_word_of_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for _ in range(100):
        spool.write(b"Zanzibar " * 1000)
    assert list(tmp_path.iterdir()) == []
    assert spool._file is not None
    found = os.pread(spool._file.fileno(), 10**7, 0)
    assert len(found) > 700_000
    assert b"Zanzibar" not in found
    assert stat.S_IMODE(os.fstat(spool._file.fileno()).st_mode) & 0o077 == 0
    spool.close()


def test_two_files_are_encrypted_under_two_keys(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        spool = Spool(tmp_path)
        spool.write(bytes(200_000))
        assert spool._file is not None
        found.append(os.pread(spool._file.fileno(), 10**6, 0))
        spool.close()
    assert found[0] != found[1]


def test_only_routes_that_say_so_take_a_file() -> None:
    @forms.takes_file
    def endpoint() -> None: ...

    assert forms.with_file(endpoint)
    assert not forms.with_file(pytest.fixture)
