"""What is kept of a name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.errors import IdentityError
from demur.people.compiled import Compiled, Compiler, FormFlag, compile_handle, compile_name
from demur.people.names import NameRole
from demur.words.keys import WordKeys

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
    assert said(compile_name("Sean O'Brennan", ["en"], KEYS), "obrennan") == [(NameRole.SURNAME, 5, FormFlag(0))]


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


@pytest.mark.parametrize("damaged", [b"", b"\1", b"\1\1", b"\1\0\0", b"\1\1\x63\0\0\0", b"\1\1\1\0\0\1\0"])
def test_damaged_bytes_are_refused(damaged: bytes) -> None:
    with pytest.raises(IdentityError, match="restore"):
        Compiled.from_bytes(damaged)


def test_bytes_of_the_first_version_are_read() -> None:
    data = bytes.fromhex((GOLDEN / "compiled-1.hex").read_text(encoding="ascii"))
    found = Compiled.from_bytes(data)
    assert found.to_bytes() == data
    assert said(found, "ludwig") == [(NameRole.GIVEN, 0, FormFlag(0))]
    assert said(found, "van") == [(NameRole.PARTICLE, 1, FormFlag.WORD)]
    assert said(found, "ludwigs") == [(NameRole.GIVEN, 0, FormFlag.INFLECTED)]
    assert said(found, "lutz") == [(NameRole.NICK, 0, FormFlag(0))]
    assert said(found, "vanvelden") == [(NameRole.JOINED, 3, FormFlag(0))]
    assert said(found, "lvelden") == [(NameRole.JOINED, 3, FormFlag.ABBREVIATED)]


@pytest.mark.parametrize("word", ["rose", "wolf", "user", "marka", "liebe", "слава", "χαρά", "torre", "Björn", "virta"])
def test_what_is_a_word_as_well_is_marked(word: str) -> None:
    handle = compile_handle(f"irc:{word}", KEYS)
    assert [token.flags for token in handle.tokens] == [FormFlag.WORD]


@pytest.mark.parametrize("name", ["steve", "kowalski", "virtanen", "papadopoulos", "jürgen", "ольга"])
def test_what_is_a_name_alone_is_not(name: str) -> None:
    assert [token.flags for token in compile_handle(f"irc:{name}", KEYS).tokens] == [FormFlag(0)]


def test_a_case_that_is_a_word_says_both() -> None:
    assert said(compile_name("Marek Wolny", ["pl"], KEYS), "marka") == [
        (NameRole.GIVEN, 0, FormFlag.INFLECTED | FormFlag.WORD)
    ]


def test_one_compiler_answers_as_one_for_each_name() -> None:
    compiler = Compiler(KEYS)
    for spelling in ("Marek Wolny", "Anna Wolny", "Marek Wolny", "Wolny, Marek"):
        assert compiler.name(spelling, ["pl"]) == compile_name(spelling, ["pl"], KEYS)


@given(st.text(max_size=80), st.lists(st.sampled_from(["pl", "fi", "hu", "ru", "el", "de"]), max_size=3))
def test_every_spelling_compiles_and_comes_back(spelling: str, languages: list[str]) -> None:
    compiled = compile_name(spelling, languages, KEYS)
    assert Compiled.from_bytes(compiled.to_bytes()) == compiled
    assert all(token.keys for token in compiled.tokens)


def test_a_later_version_is_refused() -> None:
    with pytest.raises(IdentityError, match="update"):
        Compiled.from_bytes(b"\2\0")
