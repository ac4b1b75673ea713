"""What is kept of a name."""

from pathlib import Path

import pytest

from demur.errors import IdentityError
from demur.people.compiled import Compiled, FormFlag, compile_handle, compile_name
from demur.people.names import NameRole
from demur.people.standin import WordKeys

KEYS = WordKeys(b"k" * 32)
GOLDEN = Path(__file__).parent / "golden"


def key(word: str) -> int:
    return int(KEYS.keys([word])[0])


def said(compiled: Compiled, word: str) -> list[tuple[NameRole, int, FormFlag]]:
    return [(token.role, token.part, token.flags) for token in compiled.tokens if key(word) in token.keys]


def test_parts_initials_and_joined_forms_are_told_apart() -> None:
    name = compile_name("Steve Miller", ["en"], KEYS)
    assert said(name, "steve") == [(NameRole.GIVEN, 0, FormFlag(0))]
    assert (NameRole.SURNAME, 1, FormFlag(0)) in [(r, p, f & ~FormFlag.WORD) for r, p, f in said(name, "miller")]
    assert said(name, "s") == [(NameRole.INITIAL, 0, FormFlag(0))]
    assert said(name, "m") == [(NameRole.INITIAL, 1, FormFlag(0))]
    for joined in ("stevemiller", "millersteve"):
        assert said(name, joined) == [(NameRole.JOINED, 2, FormFlag(0))]
    for joined in ("smiller", "stevem"):
        assert said(name, joined) == [(NameRole.JOINED, 2, FormFlag.ABBREVIATED)]


def test_an_apostrophe_may_be_left_out() -> None:
    assert said(compile_name("Sean O'Brennan", ["en"], KEYS), "obrennan") == [(NameRole.JOINED, 3, FormFlag(0))]


def test_a_part_of_one_letter_is_its_initial_alone() -> None:
    name = compile_name("Steve M.", ["en"], KEYS)
    assert said(name, "m") == [(NameRole.INITIAL, 1, FormFlag(0))]
    assert compile_name("M.", ["en"], KEYS) == Compiled(())


def test_a_handle_is_one_word() -> None:
    handle = compile_handle("irc:Steve_m91", KEYS)
    assert {token.role for token in handle.tokens} == {NameRole.HANDLE}


def test_bytes_and_back() -> None:
    name = compile_name("María de la Vega Ruiz", ["es"], KEYS)
    assert Compiled.from_bytes(name.to_bytes()) == name
    assert Compiled.from_bytes(Compiled(()).to_bytes()) == Compiled(())


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda data: data + b"\0", lambda _: b""])
def test_damaged_bytes_are_refused(spoil) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    with pytest.raises(IdentityError, match="restore"):
        Compiled.from_bytes(spoil(compile_name("Steve Miller", ["en"], KEYS).to_bytes()))


def test_a_later_version_is_refused() -> None:
    with pytest.raises(IdentityError, match="update"):
        Compiled.from_bytes(b"\2\0")
