"""How spellings are read."""

import pytest

from demur.people.names import NameRole, read_handle, read_name

G, M, P, S, ONE, H, N = (
    NameRole.GIVEN,
    NameRole.MIDDLE,
    NameRole.PARTICLE,
    NameRole.SURNAME,
    NameRole.SINGLE,
    NameRole.HANDLE,
    NameRole.NICK,
)


@pytest.mark.parametrize(
    ("spelling", "languages", "parts"),
    [
        ("Steve Miller", ["en"], [("Steve", G), ("Miller", S)]),
        ("Miller, Steve", ["en"], [("Miller", S), ("Steve", G)]),
        ("Dr. Ludwig van Velden", ["de"], [("Ludwig", G), ("van", P), ("Velden", S)]),
        ("Steve", ["en"], [("Steve", ONE)]),
        ("Steve M.", ["en"], [("Steve", G), ("M", S)]),
        ("S. Miller", ["en"], [("S", G), ("Miller", S)]),
        ("Anna Müller-Schmidt", ["de"], [("Anna", G), ("Müller", S), ("Schmidt", S)]),
        ("Anne-Marie Dubreuil", ["fr"], [("Anne", G), ("Marie", M), ("Dubreuil", S)]),
        ("Sean O'Brennan", ["en"], [("Sean", G), ("O", P), ("Brennan", S)]),
        ("Sean O’Brennan", ["en"], [("Sean", G), ("O", P), ("Brennan", S)]),
        ("María de la Vega Ruiz", ["es"], [("María", G), ("de", P), ("la", P), ("Vega", S), ("Ruiz", S)]),
        ("Gabriel García Montes", ["es"], [("Gabriel", G), ("García", S), ("Montes", S)]),
        ("Kelemen Anna", ["hu"], [("Kelemen", S), ("Anna", G)]),
        ("KOWALCZYK Jan", ["pl"], [("KOWALCZYK", S), ("Jan", G)]),
        ("Jan KOWALCZYK", ["pl"], [("Jan", G), ("KOWALCZYK", S)]),
        ("Петров Иван Сергеевич", ["ru"], [("Петров", S), ("Иван", G), ("Сергеевич", M)]),
        ("Иван Сергеевич Петров", ["ru"], [("Иван", G), ("Сергеевич", M), ("Петров", S)]),
        ('Robert "Ace" Miller', ["en"], [("Robert", G), ("Miller", S), ("Ace", N)]),
        ("Anna Wolny (née Kosar)", ["pl"], [("Anna", G), ("Wolny", S), ("Kosar", S)]),
        ("Anna Wolny (she/her)", ["pl"], [("Anna", G), ("Wolny", S)]),
        ("Steve Miller, PhD", ["en"], [("Steve", G), ("Miller", S)]),
        ("Steve Miller Jr.", ["en"], [("Steve", G), ("Miller", S)]),
        ("🌻 Steve Miller 🌻", ["en"], [("Steve", G), ("Miller", S)]),
        ("Al Gorman", ["en"], [("Al", G), ("Gorman", S)]),
        ("van Velden", ["nl"], [("van", G), ("Velden", S)]),
        ("De Groote", ["nl"], [("De", P), ("Groote", S)]),
        ("steve_m91", [], [("steve_m91", H)]),
        ("Anna Wolny | Acme GmbH", ["pl"], [("Anna", G), ("Wolny", S)]),
        ("🌻 | Anna Wolny", ["pl"], [("Anna", G), ("Wolny", S)]),
        ("anna.wolny", ["pl"], [("anna", G), ("wolny", S)]),
        ("Kowalska Anna", ["pl"], [("Kowalska", S), ("Anna", G)]),
        ("J. R. R. Tolman", ["en"], [("J", G), ("R", M), ("R", M), ("Tolman", S)]),
        ("🙂", [], []),
        ("", [], []),
        ("...", [], []),
        ("Dr.", [], [("Dr", ONE)]),
    ],
)
def test_the_parts_of_a_spelling(spelling: str, languages: list[str], parts: list[tuple[str, NameRole]]) -> None:
    assert [(part.text, part.role) for part in read_name(spelling, languages).parts] == parts


@pytest.mark.parametrize(
    ("account", "handle"),
    [
        ("irc:steve_m91", ["steve_m91"]),
        ("mastodon:@ann@host.example", ["ann"]),
        ("@ann", ["ann"]),
        ("ann", ["ann"]),
        ("discord:ann#1234", ["ann"]),
        ("irc:|||", []),
    ],
)
def test_a_handle_is_one_part(account: str, handle: list[str]) -> None:
    parts = read_handle(account).parts
    assert [part.text for part in parts] == handle
    assert all(part.role is NameRole.HANDLE for part in parts)
