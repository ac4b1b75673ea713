"""Whom a text names, where the words around it mean different things in different languages."""

import pytest
from naming import Scene

from demur.people.finding.tiers import Reason
from demur.people.finds import Tier
from demur.people.lexicon import UNKNOWN, common_words, place_names, tongue

PEOPLE = {
    1: ["Steve Brennick", "@starfishy", "@tor_maxi91"],
    2: ["Anna Kowalska"],
    3: ["Rose Hollinwell"],
    4: ["Austin Wunderley"],
    5: ["Mark Stern"],
}


def meant(language: str | None, text: str, people: dict[int, list[str]] | None = None) -> None:
    """Where all of them take part."""
    known = people or PEOPLE
    scene = Scene(known, takes_part=[*known], languages=[language] if language else [])
    assert scene.masked(text.replace("[", "").replace("]", "")) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "J'ai demandé à [Steve] hier"),
        ("es", "Pregunté a [Steve] ayer"),
        ("it", "Ho chiesto a [Steve] ieri"),
        ("de", "Der [Steve] hat recht"),
        ("de", "Die Rose ist rot"),
        ("de", "[Rose] hat recht"),
        ("de", "Ein Stern leuchtet"),
        ("en", "[Rose] said so"),
        ("en", "[Rose]'s idea"),
        ("en", "Rose petals fall"),
        ("en", "roses are red"),
        ("en", "Mark my words"),
        ("en", "[Mark] wrote that"),
        ("en", "a Rose 2.0 device"),
        ("en", "`rose` fails"),
        ("en", "run rose --help now"),
        ("en", "Mary Rose is nice"),
        ("en", "Queen Anna was here"),
        ("en", "Rose Miller came. Rose, what do you think?"),
        ("el", "Ήταν στην οδό Brennick"),
        ("en", "I flew to Austin yesterday"),
        ("en", "Austin, Texas is warm"),
        ("en", "I asked [Austin] yesterday"),
        ("en", "[Steve]/[Anna] may know"),
        ("en", "Users/Steve/x"),
        ("en", "[Steve B]. knows that"),
        ("en", "[Mark]'s idea"),
        ("pl", "widziałem [Steve'a] wczoraj"),
        ("hu", "[Steve-vel] voltam"),
        ("en", "the Steve-like thing"),
        ("hr", "sa [Steveom] sam"),
        ("en", "ask [t o r _ m a x i 9 1] there"),
        ("en", "ask [t o r m a x i 9 1] there"),
    ],
)
def test_words_around_count_in_their_language(language: str | None, text: str) -> None:
    meant(language, text)


@pytest.mark.parametrize(
    ("language", "name", "texts"),
    [
        ("hr", "Marko Perkić", ["[Markova] ideja", "od [Marka]"]),
        ("hr", "Ana Perkić", ["[Anin] prijedlog", "rekao sam [Ani] da"]),
        ("sk", "Zuzana Hudová", ["[Zuzanin] nápad", "so [Zuzanou] sme"]),
        ("sk", "Peter Hudák", ["[Petrova] kniha", "s [Petrom Hudákom] som"]),
        ("sl", "Matej Hudnik", ["[Matejeva] ideja", "z [Matejem Hudnikom]"]),
        ("cs", "Pavel Hudáček", ["[Pavlova] kniha", "[Pavlův] nápad"]),
    ],
)
def test_adjectives_of_names(language: str, name: str, texts: list[str]) -> None:
    for text in texts:
        meant(language, text, {1: [name]})


@pytest.mark.parametrize("name", ["Steve Miller", "Bob Green", "Anna Kowalska", "Ivan Petrov", "Eva Hubermann"])
def test_a_surname_that_many_bear_names_nobody_where_nothing_is_known(name: str) -> None:
    surname = name.split()[1]
    for text in (f"I asked {surname} yesterday", f"Mr {surname} said so", f"{surname} said so"):
        assert Scene({1: [name]}).masked(text) == text


@pytest.mark.parametrize("text", ["I asked Brennick yesterday", "Herr Brennick war da", "Dear Mr Brennick, hello"])
def test_not_even_a_rare_surname_alone_names_somebody(text: str) -> None:
    assert Scene({1: ["Steve Brennick"]}).masked(text) == text
    assert Scene({1: ["Steve Brennick"]}, [1]).masked(text) == text.replace("Brennick", "[Brennick]")


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("Steve Brennick", "en", "Strangely [Brennick] was there"),
        ("Aino Korvenranta", "fi", "Kysykää [Korvenrannalta], hän tietää."),
        ("Zofia Domejko", "pl", "Zapytajcie [Domejkę] o to."),
        ("Aino Korvenranta", "fi", "Näinkin [Korvenrannan] eilen."),
        ("Szalóky Endre", "hu", "Üzenet [Szalókynak] a hibáról."),
    ],
)
def test_a_word_on_no_list_that_opens_a_sentence_is_no_other_name(name: str, language: str, text: str) -> None:
    scene = Scene({1: [name]}, [1], languages=[language])
    assert scene.masked(text.replace("[", "").replace("]", "")) == text


def test_a_given_name_that_opens_a_sentence_is_another_one() -> None:
    assert Scene({1: ["Steve Brennick"]}, [1]).masked("Robert Brennick was there") == "Robert Brennick was there"


def test_an_initial_and_a_surname_tell_who_is_meant_later() -> None:
    scene = Scene({1: ["Steve Brennick"]})
    assert scene.masked("S. Brennick came. I asked Steve") == "[S. Brennick] came. I asked [Steve]"
    assert scene.masked("K. Brennick came. I asked Steve") == "K. Brennick came. I asked Steve"


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("May Brennick", "en", "We meet in May again, says [May]."),
        ("May Brennick", "en", "It was 3 May, or May 4."),
        ("April Brennick", "en", "Not since last April, [April] said."),
        ("Rose Brennick", "en", "They sell “Rose” water, and [Rose] knows it."),
        ("Vera Brennick", "de", "Das Schiff „Vera“ liegt im Hafen, sagt [Vera]."),
    ],
)
def test_dates_and_what_stands_in_quotation_marks_are_nobody(name: str, language: str, text: str) -> None:
    scene = Scene({1: [name]}, [1], languages=[language])
    assert scene.masked(text.replace("[", "").replace("]", "")) == text


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("Jonas Petrauskas", "lt", "Susitikime ant Jono tilto."),
        ("Taras Zborovyk", "uk", "Гуляли в парку Тараса."),
        ("Magda Sowiźrzał", "pl", "Mieszkam przy ulicy Magdy."),
        ("Endre Zsombolya", "hu", "Lezárták az Endre hidat."),
    ],
)
def test_a_street_or_a_bridge_is_nobody_in_whatever_case(name: str, language: str, text: str) -> None:
    assert Scene({1: [name]}, [1], languages=[language]).masked(text) == text


def test_a_word_of_another_language_is_no_noun_that_everybody_writes_with_a_capital() -> None:
    assert (
        Scene({1: ["Viola Brennick"]}, [1], languages=["de"]).masked("Frag mal Viola dazu") == "Frag mal [Viola] dazu"
    )


@pytest.mark.parametrize(
    ("name", "language", "text"),
    [
        ("Kerekes Virág", "hu", "szerintem [kerekes virág] tudja"),
        ("Andrés Olmedilla Vidal", "es", "según [andrés olmedilla vidal] sí"),
        ("Pierre Lefontaine", "fr", "demande à Jean-Pierre Lefontaine demain"),
        ("Jean-Pierre Lefontaine", "fr", "demande à [Jean-Pierre Lefontaine] demain"),
        ("Linnea Brennick", "sv", "fråga L a r s   B r e n n i c k om det"),
        ("Lea R. R. Brennick", "en", "ask [L. R. R. Brennick] there"),
        ("Наталія Коник", "uk", "I met [Nataliya Konyk] there"),
        ("S. Brennick", "en", "ask [S. Brennick] or K. Brennick, not Steve Brennick"),
    ],
)
def test_full_names_as_they_are_written(name: str, language: str, text: str) -> None:
    plain = text.replace("[", "").replace("]", "")
    assert Scene({1: [name]}, languages=[language]).masked(plain) == text


def test_an_initial_and_a_surname_in_one_word_are_no_case_of_the_surname() -> None:
    scene = Scene({1: ["A. Kovač"]}, languages=["hr"])
    assert scene.masked("Bez Kovača ne ide") == "Bez Kovača ne ide"
    assert scene.masked("Bez Kovača ne ide, kaže A. Kovač") == "Bez [Kovača] ne ide, kaže [A. Kovač]"


def test_full_names_in_lower_case() -> None:
    people = {1: ["Ben Bauer"], 2: ["Will Cook"]}
    assert Scene(people).masked("ben bauer was here") == "[ben bauer] was here"
    assert Scene(people, languages=["en"]).masked("will cook dinner") == "will cook dinner"


def test_a_thread_settles_who_an_initial_is() -> None:
    def score(*part: int) -> int:
        finds = Scene(PEOPLE, part).finds("ask S. Brennick there")
        return int(finds.score[finds.tier == Tier.INITIAL_SURNAME][0])

    assert score(1) - score() == 10  # tiers.WEIGHTS of KNOWN


@pytest.mark.parametrize(
    "text", ["Hi [Thandor], how", "thanks [Thandor] for it", "[Thandor], can you", "who knows, [Thandor]?"]
)
def test_learnt_names_count_where_somebody_may_be_addressed(text: str) -> None:
    scene = Scene({1: ["@starfishy"]}, [1], learnt={1: ["thandor"]})
    plain = text.replace("[", "").replace("]", "")
    assert scene.masked(plain) == text
    assert scene.hangs(plain)


def test_languages_have_a_bit_each() -> None:
    assert tongue("de-AT") == tongue("de_CH") == tongue("DE") != tongue("en")
    assert tongue(None) == tongue("xx") == UNKNOWN
    assert common_words()["owl"] & tongue("en")
    assert "wunderley" not in common_words()
    assert {"france", "polska"} <= place_names()
    assert Reason.KNOWN.bit_length() < 64  # bits of an int64
