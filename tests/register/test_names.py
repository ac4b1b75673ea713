"""Under which names withheld people are looked for: from when, of which accounts, until when; on both databases."""

from collections.abc import Iterable
from datetime import UTC, datetime

from busy import rows

from demur.people.compiled import Compiled, Compiler
from demur.register import Register
from demur.words.keys import WordKeys

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def compiled(register: Register, *names: str, locale: str | None = None) -> set[bytes]:
    from demur.people.locale import languages_of

    compiler = Compiler(WordKeys(register.pepper.secret))
    return {compiler.name(name, languages_of(name, locale)).to_bytes() for name in names}


def handle(register: Register, account: str) -> set[bytes]:
    return {Compiler(WordKeys(register.pepper.secret)).handle(account).to_bytes()}


def told(entries: Iterable[tuple[int, Compiled]]) -> dict[int, set[bytes]]:
    found: dict[int, set[bytes]] = {}
    for subject, each in entries:
        found.setdefault(subject, set()).add(each.to_bytes())
    return found


def key(register: Register, account: str) -> int:
    return register.persons.subject(account)


def test_a_members_names_and_handles_count_for_each_account_that_is_covered(register: Register) -> None:
    ann = {
        "account": "forum:ann_s",
        "names": ["Annika Beispiel", "Anni B."],
        "locale": "de",
        "linked": ["irc:annika77"],
    }
    register.members.import_all([rows(ann, {"account": "forum:ben", "names": ["Ben Sample"]})], now=NOW)
    assert (register.names.head(), told(register.names.entries())) == (0, {})
    register.objections.lodge(["irc:annika77"], channel="api", now=NOW)
    names = compiled(register, "Annika Beispiel", "Anni B.", locale="de")
    names |= handle(register, "forum:ann_s") | handle(register, "irc:annika77")
    assert told(register.names.entries()) == {key(register, each): names for each in ("forum:ann_s", "irc:annika77")}
    assert register.names.head() == register.log.head().binding
