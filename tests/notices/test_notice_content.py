"""The notice follows the policy, says what only the controller can say in its words, and knows what it lacks."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from demur.notices.authorities import MEMBERS, authority_of
from demur.notices.campaign import channels_of, selection_of, too_soon
from demur.notices.content import NoticeContent, lacks
from demur.notices.languages import LANGUAGES
from demur.notices.words import AUDIENCES, BASES, IDENTIFIERS, KINDS, languages_of, reading_of, said
from demur.policy import Controller, Identifiers, Mail, Policy, Portal, Wording
from demur.terms import Audience, Basis, Channel, Kind

Changed = Callable[..., Policy]


def _text(policy: Policy, language: str = "en", region: str | None = None) -> str:
    """Everything that a notice says, a line for each text."""
    content = NoticeContent.of(policy, language, region)
    lines = [content.subject, content.intro]
    for section in (content.objecting, *content.sections):
        lines += [section.title, *(f"{each.label} {each.text}".strip() for each in section.paragraphs + section.points)]
    return "\n".join(lines)


# The policy decides


def test_every_value_of_the_policy_has_a_word() -> None:
    assert set(KINDS) == set(Kind)
    assert set(AUDIENCES) == set(Audience)
    assert set(BASES) == set(Basis)
    assert set(IDENTIFIERS) == set(Identifiers.model_fields) - {"region"}


@pytest.mark.parametrize(
    ("table", "values", "gone", "there"),
    [
        ("door", {"kinds": (Kind.REVIEW,)}, "captions", "Kinds of content: reviews"),
        ("door", {"audiences": (Audience.FOLLOWERS,)}, "see it: everyone", "see it: followers"),
        ("door", {"origins": "any"}, "Sources: our own service\n", "any other source"),
        ("door", {"origins": ("first-party", "Quay Reviews")}, "", "Sources: our own service and Quay Reviews"),
        ("door", {"since": date(2020, 5, 1)}, "There is no limit on how old", "Only content from 1 May 2020 or later"),
        ("door", {"minimum_age": 21}, "age: 18 years", "age: 21 years"),
        ("door", {"unknown_age": "use"}, "", "Also people whose age we do not know"),
        ("door", {"unknown_region": "use"}, "", "Also people whose country we do not know"),
        ("", {"regions": "any"}, "Only people in these countries: Germany, Ireland and Malta", ""),
        ("", {"regions": ("FR",)}, "Malta", "Only people in these countries: France"),
        ("", {"effective_date": date(2027, 3, 4)}, "1 February 2027", "from 4 March 2027 on"),
        ("identifiers", {"iban": "keep"}, "bank account numbers", "IP addresses"),
        ("others", {"mentions": "drop"}, "the name is masked", "by a link, that content is left out"),
        ("others", {"quotes": "drop"}, "the quote is masked", "mark it as a quote, that content is left out"),
        ("retention", {"versions_days": 7}, "is deleted: 30 days", "is deleted: 7 days"),
        ("notice", {"period_days": 45}, "of your content: 30 days", "of your content: 45 days"),
        ("notice", {"required": False}, "first use of your content", ""),
        ("controller", {"name": "Quay Club"}, "Harbour Commons tells", "Quay Club tells you"),
        ("controller", {"dpo": ""}, "Data protection officer", ""),
        ("controller", {"contact": "hello@quay.example"}, "privacy@", "Write to hello@quay.example"),
        ("basis", {"use": Basis.PUBLIC_TASK}, "Our legitimate interests", "public task (Art. 6(1)(e) GDPR)"),
        ("basis", {"use": Basis.CONSENT}, "Our legitimate interests", "You can withdraw your consent at any time."),
        ("basis", {"use": Basis.CONTRACT}, "", "a form that machines can read (Art. 20 GDPR)"),
        ("purpose", {"name": "Search"}, "Purpose: Training of generative AI models", "Purpose: Search"),
    ],
)
def test_a_change_of_the_policy_changes_the_notice(
    policy: Policy, changed: Changed, table: str, values: dict[str, Any], gone: str, there: str
) -> None:
    before, after = _text(policy), _text(changed(table, **values))
    if gone:
        assert gone in before
        assert gone not in after
    if there:
        assert there not in before or there == "IP addresses"
        assert there in after


def test_what_the_controller_says_is_in_the_notice(policy: Policy, words: Wording) -> None:
    told = _text(policy)
    for text in words.model_dump().values():
        assert text in told


def test_the_notice_of_a_bare_policy_asserts_only_what_the_rules_do() -> None:
    told = _text(Policy(effective_date=date(2027, 2, 1)))
    assert "127.0.0.1 tells you" in told
    assert "Our legitimate interests" not in told
    assert "Who receives it:" not in told
    assert "Transfers" not in told
    assert "None" not in told


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("use", list(Basis))
def test_every_language_has_a_notice(changed: Changed, language: str, use: Basis) -> None:
    told = _text(changed("basis", use=use), language, "MT")
    assert "Harbour Commons" in told
    assert "https://idpc.org.mt/" in told
    assert "%(" not in told


def test_no_notice_claims_approval_or_anonymity(policy: Policy) -> None:
    told = _text(policy).lower()
    for claim in ("complian", "comply", "approved", "anonym", "certified", "allowed", "legal to"):
        assert claim not in told


# The controller's words


def test_words_that_a_language_lacks_are_in_the_default_one(changed: Changed, words: Wording) -> None:
    german = Wording(purpose="Wir trainieren ein Modell, das Fragen zum Hafen beantwortet.")
    both = changed("notice", languages=("en", "de"), wording={"en": words, "de-DE": german})
    purpose = NoticeContent.of(both, "de").section("purpose")
    assert purpose
    found = {each.text: each.language for each in purpose.paragraphs}
    assert found[german.purpose] == "de-DE"
    assert found[words.interests] == "en"
    assert said(both, "mt", "purpose") == said(both, "en", "purpose")


def test_the_name_of_the_purpose_is_said_in_the_reader_s_language_else_in_the_default_one(
    changed: Changed, words: Wording
) -> None:
    german = Wording(purpose_name="Suche im Hafen")
    named = changed("purpose", name="Search of the harbour")
    notice = named.notice.model_copy(update={"languages": ("en", "de"), "wording": {"en": words, "de-DE": german}})
    named = named.model_copy(update={"notice": notice})

    def told(language: str) -> tuple[str, str]:
        purpose = NoticeContent.of(named, language).section("purpose")
        assert purpose
        return purpose.paragraphs[0].text, purpose.paragraphs[0].language

    assert told("de") == ("Suche im Hafen", "de-DE")
    assert told("en") == told("mt") == ("Search of the harbour", "en")
    lacking = [each for each in lacks(named) if "purpose_name" in each]
    assert lacking == []
    silent = named.model_copy(update={"notice": notice.model_copy(update={"wording": {"en": words, "de": words}})})
    assert [each for each in lacks(silent) if "`notice.wording.de.purpose_name`" in each]


def test_the_description_of_the_purpose_stands_in_for_its_wording(changed: Changed) -> None:
    described = changed("notice", wording={})
    described = described.model_copy(
        update={"purpose": described.purpose.model_copy(update={"description": "To help."})}
    )
    assert "To help." in _text(described)


@pytest.mark.parametrize(
    ("signed", "wanted", "found"),
    [
        (("en",), "mt", ("en", "mt")),
        (("en", "mt"), "mt-MT", ("mt", "mt")),
        (("de", "en"), None, ("de", "de")),
        (("de", "en"), "zh", ("de", "de")),
        (("pt-BR",), "pt", ("pt", "pt")),
        (("ja",), "ja", ("en", "en")),
    ],
)
def test_a_notice_is_in_a_language_that_was_signed_off(
    changed: Changed, signed: tuple[str, ...], wanted: str | None, found: tuple[str, str]
) -> None:
    assert reading_of(changed("notice", languages=signed), wanted) == found


def test_languages_without_texts_are_not_used(changed: Changed) -> None:
    assert languages_of(changed("notice", languages=("ja", "de-AT", "de", "nn"))) == ("de", "nb")


# Authorities


def test_the_authority_is_that_of_the_reader_else_of_the_controller_else_a_list(
    policy: Policy, changed: Changed
) -> None:
    assert "https://idpc.org.mt/" in _text(policy, region="MT")
    assert "https://www.dataprotection.ie/" in _text(policy, region="US")
    assert "https://www.dataprotection.ie/" in _text(policy)
    nowhere = changed("controller", country="")
    assert MEMBERS in _text(nowhere, region="US")
    assert NoticeContent.of(nowhere, "en", "US").authority is None


def test_germany_says_that_a_state_is_responsible(policy: Policy) -> None:
    assert "authority of their federal state" in _text(policy, region="DE")
    assert "authority of their federal state" not in _text(policy, region="FR")


def test_every_country_of_the_economic_area_has_an_authority() -> None:
    area = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
    for country in area:
        authority = authority_of(country)
        assert authority
        assert authority.name
        assert authority.url.startswith("https://")
        assert authority.url.endswith("/")
    assert authority_of("US", None, "") is None


# What it lacks


def test_a_complete_notice_lacks_nothing(policy: Policy) -> None:
    assert lacks(policy) == []


@pytest.mark.parametrize(
    ("article", "key", "table", "values"),
    [
        ("13(1)(a)", "controller.name", "controller", {"name": ""}),
        ("13(1)(a)", "controller.contact", "controller", {"contact": ""}),
        ("21(4)", "portal.url", "", {"mail": Mail(server="smtp.harbour.example:587"), "portal": Portal()}),
        (
            "21(4)",
            "portal.url",
            "",
            {"mail": Mail(server="smtp.harbour.example:587"), "portal": Portal(url="http://localhost:8470")},
        ),
        ("21(4)", "mail.server", "", {"mail": Mail(), "portal": Portal(url="https://object.harbour-commons.eu")}),
    ],
)
def test_a_missing_key_is_named_with_its_article(
    changed: Changed, article: str, key: str, table: str, values: dict[str, Any]
) -> None:
    (sentence,) = lacks(changed(table, **values))
    assert sentence.startswith(f"Art. {article} GDPR asks for ")
    assert sentence.endswith(f": set `{key}`.")


@pytest.mark.parametrize(
    ("article", "field"),
    [
        ("13(1)(c)", "purpose"),
        ("13(1)(d)", "interests"),
        ("13(1)(e)", "recipients"),
        ("13(1)(f)", "transfers"),
        ("13(2)(a)", "storage"),
        ("14(2)(f)", "source"),
    ],
)
def test_missing_words_are_named_with_their_article(changed: Changed, words: Wording, article: str, field: str) -> None:
    (sentence,) = lacks(changed("notice", wording={"en": words.model_copy(update={field: " "})}))
    assert sentence.startswith(f"Art. {article} GDPR asks for ")
    assert sentence.endswith(f": set `notice.wording.en.{field}`.")


def test_only_the_basis_in_use_asks_for_interests(changed: Changed, words: Wording) -> None:
    silent = changed("notice", wording={"en": words.model_copy(update={"interests": ""})})
    consent = silent.model_copy(update={"basis": silent.basis.model_copy(update={"use": Basis.CONSENT})})
    assert lacks(silent)
    assert lacks(consent) == []


def test_only_data_from_elsewhere_asks_for_its_source(changed: Changed, words: Wording) -> None:
    silent = changed("notice", wording={"en": words.model_copy(update={"source": ""})})
    own = silent.model_copy(update={"door": silent.door.model_copy(update={"kinds": (Kind.POST,)})})
    other = own.model_copy(update={"door": own.door.model_copy(update={"origins": ("first-party", "Quay Reviews")})})
    assert lacks(own) == []
    assert len(lacks(other)) == 1


def test_a_signed_off_language_wants_words_of_its_own(changed: Changed, words: Wording) -> None:
    sentences = lacks(changed("notice", languages=("en", "de"), wording={"en": words}))
    assert len(sentences) == len(Wording.model_fields) - 1, "the name of the purpose is in every catalogue"
    assert all("`notice.wording.de." in sentence for sentence in sentences)
    assert lacks(changed("notice", languages=("en", "de"), wording={"en": words, "de": words})) == []


def test_a_language_without_texts_is_named(changed: Changed, words: Wording) -> None:
    (sentence,) = lacks(changed("notice", languages=("en", "ja"), wording={"en": words}))
    assert "`ja`" in sentence


def test_a_bare_policy_lacks_what_only_the_controller_can_say() -> None:
    sentences = lacks(Policy(effective_date=date(2027, 2, 1), controller=Controller(country="IE")))
    assert len(sentences) == 8
    assert all("\n" not in each and each.startswith("Art. ") and each.endswith(".") for each in sentences)


# Campaigns


def test_a_campaign_is_for_those_whose_content_may_come_in(changed: Changed) -> None:
    chosen = selection_of(changed("door", minimum_age=21, unknown_region="use"), date(2027, 1, 1))
    assert chosen.regions == frozenset({"DE", "IE", "MT"})
    assert chosen.unknown_region
    assert chosen.born_by == 2005  # 21 at the latest on 31 December 2026
    assert not chosen.unknown_age
    anywhere = selection_of(changed(regions="any"), date(2027, 1, 1))
    assert anywhere.regions is None
    assert anywhere.unknown_region
    assert not selection_of(changed(), date(2027, 1, 1)).unknown_region


def test_a_campaign_goes_by_mail_and_where_the_platform_takes_them_in_app(policy: Policy, changed: Changed) -> None:
    assert channels_of(policy) == (Channel.MAIL,)
    assert channels_of(changed("notice", in_app="pull")) == (Channel.MAIL, Channel.IN_APP)


def test_a_notice_that_comes_too_late_is_said(policy: Policy, changed: Changed) -> None:
    assert too_soon(policy, date(2027, 1, 2)) is None
    assert "`effective_date` 2027-02-01" in str(too_soon(policy, date(2027, 1, 3)))
    assert too_soon(changed("notice", period_days=0), date(2027, 2, 1)) is None
