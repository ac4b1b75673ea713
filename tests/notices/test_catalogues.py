"""Every catalogue says everything, and nothing in it can break a page or a mail."""

import ast
import importlib.util
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from babel.messages.pofile import read_po

import demur
from demur.notices.languages import (
    LANGUAGES,
    SOURCE,
    accepted,
    autonym,
    direction,
    lasting,
    locale,
    matching,
    megabytes,
    translations,
    within,
)
from demur.notices.mails import MAILS, Params, mail
from demur.notices.words import day
from demur.policy import Policy

TRANSLATED: Final = [language for language in LANGUAGES if language != SOURCE]
PLACEHOLDER: Final = re.compile(r"%(?:\(\w+\))?.")


@pytest.fixture(scope="module")
def tool() -> Any:  # noqa: ANN401  # a script
    """tools/messages.py."""
    path = Path(__file__).resolve().parents[2] / "tools" / "messages.py"
    spec = importlib.util.spec_from_file_location("messages", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def template(tool: Any) -> Any:  # noqa: ANN401  # a script
    """Every string that code and templates mark."""
    return tool.extracted()


def _catalogue(tool: Any, language: str) -> list[tuple[str, str, bool]]:  # noqa: ANN401  # a script
    """The strings of a catalogue: source, translation, whether it is only a guess."""
    with tool.path(language).open("rb") as file:
        return [(str(each.id), str(each.string), each.fuzzy) for each in read_po(file, locale=language) if each.id]


# The catalogues


def test_the_template_holds_what_code_and_templates_say(tool: Any, template: Any) -> None:  # noqa: ANN401
    assert tool.TEMPLATE.read_text("utf-8") == tool.text(template), "run `make messages`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_string_is_missing_or_a_guess(tool: Any, language: str) -> None:  # noqa: ANN401  # a script
    missing = [source for source, said, guessed in _catalogue(tool, language) if not said.strip() or guessed]
    assert not missing, f"{len(missing)} of {language}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_catalogue_is_stale(tool: Any, template: Any, language: str) -> None:  # noqa: ANN401
    assert tool.path(language).read_text("utf-8") == tool.updated(language, template), "run `make messages`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_placeholders_and_edges(tool: Any, language: str) -> None:  # noqa: ANN401  # a script
    wrong = [
        said
        for source, said, _ in _catalogue(tool, language)
        if said and (sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(said)) or said != said.strip())
    ]
    assert not wrong


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_catalogue_holds_markup_or_a_line_break(tool: Any, language: str) -> None:  # noqa: ANN401  # a script
    for source, said, _ in _catalogue(tool, language):
        assert not re.search(r"[<>&\x00-\x1f\u202a-\u202e\u2066-\u2069]", source + said)
        assert source == source.strip()


def test_updating_keeps_translations_and_drops_what_is_gone(
    tool: Any,  # noqa: ANN401  # a script
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tool, "LOCALE", tmp_path)
    old = tool.Catalog(locale="de")
    old.add("Stays", "Bleibt")
    old.add("Goes", "Geht")
    tool.path("de").parent.mkdir(parents=True)
    tool.path("de").write_text(tool.text(old, "de"), "utf-8")
    template = tool.Catalog()
    template.add("Stays", locations=[("notices/a.py", 7)])
    template.add("Stay")
    text = tool.updated("de", template)
    assert 'msgid "Stays"\nmsgstr "Bleibt"' in text
    assert 'msgid "Stay"\nmsgstr ""' in text
    assert "Geht" not in text
    tool.path("de").write_text(text, "utf-8")
    assert tool.updated("de", template) == text


# Finding a language


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("pt_BR", "pt"),
        ("no", "nb"),
        ("nn-NO", "nb"),
        ("NB", "nb"),
        ("zh-Hant", None),
        ("", None),
        (None, None),
        ("-", None),
    ],
)
def test_a_tag_finds_its_language(wanted: str | None, found: str | None) -> None:
    assert matching(wanted) == found


def test_a_tag_finds_nothing_outside_the_choice() -> None:
    assert matching("de", ("en", "fr")) is None
    assert matching("de-AT", ("de-AT", "de")) == "de-AT"


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("de", "de"),
        ("fr;q=0.3, zh, de-AT;q=0.8, *;q=0.1", "de"),
        ("mt;q=0, en;q=0.5", "en"),
        ("*", None),
        ("", None),
        (None, None),
        (";;q=,,", None),
        ("de;q=9, mt", "mt"),
        ("en," * 10_000, "en"),
    ],
)
def test_a_browser_is_answered_in_its_language(header: str | None, found: str | None) -> None:
    assert accepted(header) == found


def test_languages_are_the_official_ones_and_two_more() -> None:
    assert len(LANGUAGES) == 26
    assert list(LANGUAGES) == sorted(set(LANGUAGES))
    assert {language: autonym(language) for language in ("de", "mt", "pt", "el")} == {
        "de": "Deutsch",
        "mt": "Malti",
        "pt": "português",
        "el": "Ελληνικά",
    }
    assert all(direction(language) == "ltr" for language in LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_known_to_babel(language: str) -> None:
    assert locale(language).territories["MT"]
    assert "2027" in day(date(2027, 2, 1), language)
    assert translations(language).gettext("no such string") == "no such string"


def test_days_are_written_as_in_europe() -> None:
    assert day(date(2027, 2, 1), "en") == "1 February 2027"
    assert day(date(2027, 2, 1), "pt") == "1 de fevereiro de 2027"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("number", [1, 2, 5, 12, 30, 100])
def test_times_and_sizes_are_in_words_of_the_language(language: str, number: int) -> None:
    said = [lasting(number, unit, language) for unit in ("day", "year")]
    said += [megabytes(number, language), within(timedelta(minutes=number), language)]
    for text in said:
        assert re.search(r"[^\W\d_]{2}", text), text
        assert "duration" not in text
        assert "%" not in text


def test_times_have_the_plural_of_the_language() -> None:
    days = {"en": "30 days", "de": "30 Tage", "fr": "30 jours", "pl": "30 dni", "mt": "30 jum", "ga": "30 lá"}
    assert {language: lasting(30, "day", language).replace("\xa0", " ") for language in days} == days
    ones = {"en": "1 day", "nb": "1 dag", "et": "1 päev", "sl": "1 dan", "mt": "1 jum"}
    assert {language: lasting(1, "day", language) for language in ones} == ones
    assert [lasting(number, "year", "ga") for number in (1, 3, 7, 18)] == [
        "1 bhliain",
        "3 bliana",
        "7 mbliana",
        "18 bliain",
    ]
    assert lasting(18, "year", "pl") == "18 lat"
    assert lasting(400, "day", "en") == "400 days"
    assert within(timedelta(minutes=60), "en") == "in 60 minutes"
    assert within(timedelta(seconds=1), "de") == "in 1 Sekunde"
    assert megabytes(1, "pl") == "1 megabajt"


def test_no_text_is_marked_where_it_is_not_found() -> None:
    """Babel finds no call within an f-string: what is marked there would be in no catalogue."""
    for path in (Path(demur.__file__).parent).rglob("*.py"):
        for made in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.JoinedStr)):
            calls = [node.func for node in ast.walk(made) if isinstance(node, ast.Call)]
            assert not {each.id for each in calls if isinstance(each, ast.Name)} & {"_", "N_", "gettext"}, path


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != SOURCE])
@pytest.mark.parametrize("template", sorted(MAILS))
def test_no_sentence_of_a_letter_is_left_in_english(language: str, template: str) -> None:
    policy = Policy(effective_date=date(2027, 2, 1))
    params: Params = {
        "reference": "7KQ2-9XJM-4TPA-C0WD",
        "lodged": "2027-01-02T00:00:00+00:00",
        "confirm_by": "2027-01-16T00:00:00+00:00",
        "minutes": 60,
        "outcome": "held",
        "asked": 20,
        **dict.fromkeys(("receipt_url", "confirm_url", "url"), "https://object.example.org/x"),
    }
    for more in ({}, {"named": True, "accounts": True}, {"for": "child", "account": "ann"}, {"for": "other"}):
        here, english = (mail(policy, template, each, {**params, **more}) for each in (language, SOURCE))
        said, source = ({each.subject, *each.before, *each.after} for each in (here, english))
        assert not {each for each in said & source if "://" not in each}
