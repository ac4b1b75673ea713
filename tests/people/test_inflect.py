"""The forms of names, by language, as its speakers write them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demur.people.inflect import MOST, Forms, forms
from demur.people.lexicon import bearers_of, folded, further_given_names, given_names, is_given
from demur.people.locale import languages_of
from demur.people.names import NameRole, Part, read_name
from demur.people.paradigms import LANGUAGES
from demur.words.folding import fold_name

GIVEN, SURNAME = NameRole.GIVEN, NameRole.SURNAME

CASES: dict[str, dict[str, str]] = {
    "pl": {
        "Marek": "Marka Markowi Markiem Marku",
        "Paweł": "Pawła Pawłowi Pawłem Pawle",
        "Piotr": "Piotra Piotrowi Piotrem Piotrze",
        "Michał": "Michała Michałowi Michałem Michale",
        "Jan": "Jana Janowi Janem Janie",
        "Krzysztof": "Krzysztofa Krzysztofowi Krzysztofem Krzysztofie",
        "Tomasz": "Tomasza Tomaszowi Tomaszem Tomaszu",
        "Wojciech": "Wojciecha Wojciechowi Wojciechem Wojciechu",
        "Andrzej": "Andrzeja Andrzejowi Andrzejem Andrzeju",
        "Jerzy": "Jerzego Jerzemu Jerzym",
        "Antoni": "Antoniego Antoniemu Antonim",
        "Maciek": "Maćka Maćkowi Maćkiem Maćku",
        "Anna": "Anny Annie Annę Anną Anno",
        "Ania": "Ani Anię Anią Aniu",
        "Kasia": "Kasi Kasię Kasią Kasiu",
        "Ewa": "Ewy Ewie Ewę Ewą Ewo",
        "Monika": "Moniki Monice Monikę Moniką Moniko",
        "Małgorzata": "Małgorzaty Małgorzacie Małgorzatę Małgorzatą",
        "Julia": "Julii Julię Julią",
        "Alicja": "Alicji Alicję Alicją",
        "s:Kowalski": "Kowalskiego Kowalskiemu Kowalskim Kowalscy",
        "s:Kowalska": "Kowalskiej Kowalską",
        "s:Nowak": "Nowaka Nowakowi Nowakiem Nowaku",
        "s:Zieliński": "Zielińskiego Zielińskiemu Zielińskim",
        "s:Dudek": "Dudka Dudkowi Dudkiem",
        "s:Kozioł": "Kozła Kozłowi Kozłem Koźle",
        "s:Gołąb": "Gołębia Gołębiowi Gołębiem",
        "s:Sikora": "Sikory Sikorze Sikorę Sikorą",
        "s:Wolny": "Wolnego Wolnemu Wolnym",
        "s:Mickiewicz": "Mickiewicza Mickiewiczowi Mickiewiczem",
        "s:Kościuszko": "Kościuszki Kościuszce Kościuszkę Kościuszką",
        "s:Wróbel": "Wróbla Wróblowi Wróblem",
    },
    "cs": {
        "Karel": "Karla Karlovi Karlem Karle",
        "Zdeněk": "Zdeňka Zdeňkovi Zdeňkem Zdeňku",
        "Petr": "Petra Petrovi Petrem Petře",
        "Tomáš": "Tomáše Tomášovi Tomášem Tomáši",
        "Jiří": "Jiřího Jiřímu Jiřím",
        "Luděk": "Luďka Luďkovi Luďkem Luďku",
        "Jana": "Jany Janě Janu Jano Janou",
        "Tereza": "Terezy Tereze Terezu Terezou",
        "Lenka": "Lenky Lence Lenku Lenkou",
        "Věra": "Věry Věře Věru Věrou",
        "Lucie": "Lucii Lucií",
        "s:Novák": "Nováka Novákovi Novákem Nováku",
        "s:Nováková": "Novákové Novákovou",
        "s:Novotný": "Novotného Novotnému Novotným",
        "s:Svoboda": "Svobody Svobodovi Svobodu Svobodou Svobodo",
        "s:Němec": "Němce Němcovi Němcem",
        "s:Hájek": "Hájka Hájkovi Hájkem Hájku",
        "s:Kovář": "Kováře Kovářovi Kovářem",
    },
    "fi": {
        "Matti": "Matin Mattia Matilla Matille Matilta Matissa Matista Mattiin Mattina",
        "Pekka": "Pekan Pekkaa Pekalle Pekalta Pekasta",
        "Jukka": "Jukan Jukkaa Jukalle",
        "Antti": "Antin Anttia Antille",
        "Mika": "Mikan Mikaa Mikalle",
        "Seppo": "Sepon Seppoa Sepolle",
        "Anna": "Annan Annaa Annalle Annasta",
        "Päivi": "Päivin Päiviä Päiville Päivistä",
        "Markus": "Markuksen Markusta Markukselle",
        "Johan": "Johanin Johania Johanille",
        "Riikka": "Riikan Riikkaa Riikalle",
        "Eero": "Eeron Eeroa Eerolle",
        "s:Virtanen": "Virtasen Virtasta Virtaselle Virtaselta Virtasesta",
        "s:Mäki": "Mäen Mäkeä Mäelle Mäestä Mäkeen",
        "s:Lahti": "Lahden Lahtea Lahdelle",
        "s:Niemi": "Niemen Niemeä Niemelle",
        "s:Ranta": "Rannan Rantaa Rannalle",
        "s:Koski": "Kosken Koskea Koskelle",
        "s:Lampi": "Lammen Lampea Lammelle",
        "s:Mattila": "Mattilan Mattilaa Mattilalle",
    },
    "hu": {
        "Anna": "Annát Annának Annával Annánál Annától Annáról Annához Annáért Annáék Annáé",
        "Péter": "Pétert Péternek Péterrel Péternél Pétertől Péterről Péterhez",
        "János": "Jánost Jánosnak Jánossal Jánostól Jánoshoz",
        "Gábor": "Gábort Gábornak Gáborral Gábornál Gáborhoz",
        "Kati": "Katit Katinak Katival Katinál",
        "Zsolt": "Zsoltot Zsoltnak Zsolttal",
        "György": "Györgyöt Györgynek Györggyel Györgyhöz",
        "Tamás": "Tamást Tamásnak Tamással",
        "Eszter": "Esztert Eszternek Eszterrel",
        "Imre": "Imrét Imrének Imrével",
        "s:Kovács": "Kovácsot Kovácsnak Kováccsal Kovácsék",
        "s:Nagy": "Nagyot Nagynak Naggyal",
        "s:Kiss": "Kisst Kissnek Kissé",
        "s:Szabó": "Szabót Szabónak Szabóval Szabóék",
        "s:Tóth": "Tóthot Tóthnak",
        "s:Fekete": "Feketét Feketének Feketével",
    },
    "el": {
        "Γιώργος": "Γιώργου Γιώργο Γιώργε",
        "Νίκος": "Νίκου Νίκο",
        "Γιάννης": "Γιάννη",
        "Κώστας": "Κώστα",
        "Μαρία": "Μαρίας",
        "Ελένη": "Ελένης",
        "Αλέξανδρος": "Αλέξανδρου Αλέξανδρο Αλέξανδρε",
        "Δημήτρης": "Δημήτρη",
        "Φρόσω": "Φρόσως",
        "Ανδρέας": "Ανδρέα",
        "Σπυρίδων": "Σπυρίδωνα",
        "s:Παπαδόπουλος": "Παπαδόπουλου Παπαδόπουλο Παπαδόπουλε",
        "s:Παπαδάκης": "Παπαδάκη",
        "s:Παππάς": "Παππά",
    },
    "lt": {
        "Jonas": "Jono Jonui Joną Jonu Jonai",
        "Tomas": "Tomo Tomui Tomą Tomai",
        "Mantas": "Manto Mantui Mantą Mantai",
        "Darius": "Dariaus Dariui Darių Dariumi Dariau",
        "Paulius": "Pauliaus Pauliui Paulių Pauliau",
        "Gintautas": "Gintauto Gintautui",
        "Algis": "Algio Algiui Algį Algi",
        "Rytis": "Ryčio Ryčiui Rytį Ryti",
        "Eglė": "Eglės Eglei Eglę Egle",
        "Rasa": "Rasos Rasai Rasą",
        "Marija": "Marijos Marijai Mariją",
        "s:Kazlauskas": "Kazlausko Kazlauskui Kazlauską Kazlauskai",
        "s:Kazlauskienė": "Kazlauskienės Kazlauskienei Kazlauskienę",
        "s:Petraitytė": "Petraitytės Petraitytei Petraitytę",
        "s:Stankevičius": "Stankevičiaus Stankevičiui Stankevičių Stankevičiumi Stankevičiau",
    },
    "ru": {
        "Иван": "Ивана Ивану Иваном Иване",
        "Сергей": "Сергея Сергею Сергеем Сергее",
        "Игорь": "Игоря Игорю Игорем Игоре",
        "Дмитрий": "Дмитрия Дмитрию Дмитрием Дмитрии",
        "Павел": "Павла Павлу Павлом Павле",
        "Лев": "Льва Льву Львом Льве",
        "Пётр": "Петра Петру Петром Петре",
        "Анна": "Анны Анне Анну Анной",
        "Мария": "Марии Марию Марией",
        "Ольга": "Ольги Ольге Ольгу Ольгой",
        "Маша": "Маши Маше Машу Машей Маш",
        "Наталья": "Натальи Наталье Наталью Натальей",
        "Илья": "Ильи Илье Илью",
        "s:Петров": "Петрова Петрову Петровым Петрове Петровы",
        "s:Петрова": "Петровой Петрову",
        "s:Пушкин": "Пушкина Пушкину Пушкиным Пушкине",
        "s:Достоевский": "Достоевского Достоевскому Достоевским Достоевском",
        "s:Толстая": "Толстой Толстую",
        "s:Мельник": "Мельника Мельнику Мельником",
    },
    "de": {
        "Anna": "Annas",
        "Peter": "Peters",
        "Jürgen": "Jürgens Juergens",
        "Stefan": "Stefans",
        "Ulrike": "Ulrikes",
        "Wolfgang": "Wolfgangs",
        "Günther": "Günthers Guenthers",
        "Käthe": "Käthes",
        "s:Müller": "Müllers Muellers",
        "s:Schröder": "Schröders Schroeders",
        "s:Weber": "Webers",
        "s:Hoffmann": "Hoffmanns",
        "s:Becker": "Beckers",
    },
    "uk": {
        "Тарас": "Тараса Тарасу Тарасові Тарасом Тарасе",
        "Петро": "Петра Петру Петрові Петром",
        "Олена": "Олени Олені Олену Оленою Олено",
        "Ігор": "Ігоря Ігорю Ігореві Ігорем",
        "Марія": "Марії Марію Марією Маріє",
        "s:Шевченко": "Шевченка Шевченку Шевченкові Шевченком",
        "s:Коваль": "Коваля Ковалю Ковалеві Ковалем",
        "s:Франківський": "Франківського Франківському Франківським",
    },
    "sk": {
        "Peter": "Petra Petrovi Petrom",
        "Pavol": "Pavla Pavlovi Pavlom",
        "Zuzana": "Zuzany Zuzane Zuzanu Zuzanou",
        "Mária": "Márie Márii Máriu Máriou",
        "s:Kováč": "Kováča Kováčovi Kováčom",
        "s:Kováčová": "Kováčovej Kováčovú Kováčovou",
    },
    "sl": {
        "Janez": "Janeza Janezu Janezom",
        "Marko": "Marka Marku Markom",
        "Igor": "Igorja Igorju Igorjem",
        "Ana": "Ane Ani Ano",
        "s:Vidmar": "Vidmarja Vidmarju",
        "s:Zupančič": "Zupančiča Zupančiču Zupančičem",
    },
    "hr": {
        "Ivan": "Ivana Ivanu Ivanom Ivane",
        "Marko": "Marka Marku Markom",
        "Ana": "Ane Ani Anu Anom",
        "s:Horvat": "Horvata Horvatu Horvatom",
        "s:Babić": "Babića Babiću Babićem",
    },
    "sr": {
        "Милан": "Милана Милану Миланом Милане",
        "Јелена": "Јелене Јелени Јелену",
        "Ана": "Ане Ани",
        "s:Јовић": "Јовића Јовићу",
    },
    "bg": {"Иван": "Иване", "Петър": "Петъре", "Мария": "Марийо", "Иванка": "Иванке", "s:Петров": "Петрови"},
    "ro": {
        "Ion": "Ioane Ionului",
        "Maria": "Mariei",
        "Ana": "Anei",
        "Elena": "Elenei",
        "Monica": "Monicăi",
        "Radu": "Radule Radului",
        "Andreea": "Andreei",
    },
    "et": {
        "Jaan": "Jaani Jaanile Jaanil Jaanilt Jaaniga",
        "Mari": "Marit Marile Maril Marilt Mariga",
        "Toomas": "Toomase Toomast Toomasele",
        "s:Tamm": "Tamme Tammele",
        "s:Rebane": "Rebase Rebasele",
    },
    "lv": {
        "Jānis": "Jāņa Jānim Jāni",
        "Andris": "Andra Andrim Andri",
        "Līga": "Līgas Līgai Līgu",
        "s:Bērziņš": "Bērziņa Bērziņam Bērziņu",
        "s:Kalniņa": "Kalniņas Kalniņai Kalniņu",
    },
    "ga": {
        "Seán": "Sheáin",
        "Máire": "Mháire",
        "Pádraig": "Phádraig",
        "Tomás": "Thomáis",
        "Ciarán": "Chiaráin",
        "Bríd": "Bhríd",
    },
    "tr": {
        "Ayşe": "Ayşenin Ayşeye Ayşeyi",
        "Mehmet": "Mehmetin Mehmete",
        "Murat": "Muratın Murata",
        "Onur": "Onurun Onura Onurdan",
    },
    "en": {"Steve": "Steves", "Anna": "Annas", "s:Miller": "Millers", "s:Baker": "Bakers"},
    "nl": {"Jan": "Jans", "Pieter": "Pieters", "Anna": "Annas", "s:Bakker": "Bakkers"},
    "sv": {"Erik": "Eriks", "Anna": "Annas", "Göran": "Görans", "s:Lindberg": "Lindbergs"},
    "da": {"Søren": "Sørens Soerens", "Mette": "Mettes", "Niels": "", "s:Møller": "Møllers Moellers"},
    "no": {"Bjørn": "Bjørns Bjoerns", "Kari": "Karis", "Ola": "Olas", "s:Haugen": "Haugens"},
}

SPELLINGS = [
    ("Иван", "ru", "ivan"),
    ("Щербаков", "ru", "shcherbakov"),
    ("Юлия", "ru", "yulia iuliia julija"),
    ("Дмитрий", "ru", "dmitry dmitri dmitriy dmitrij"),
    ("Михаил", "ru", "mikhail michail"),
    ("Чайковский", "ru", "chaikovsky tschaikowski"),
    ("Григорій", "uk", "hryhorii"),
    ("Олександр", "uk", "oleksandr alexander"),
    ("Ђорђевић", "sr", "djordjevic dordevic"),
    ("Петър", "bg", "petar"),
    ("Γιώργος", "el", "giorgos yiorgos"),
    ("Παπαδόπουλος", "el", "papadopoulos"),
    ("Χαράλαμπος", "el", "charalampos haralambos"),
    ("Θεοδωρίδης", "el", "theodoridis"),
    ("Ευάγγελος", "el", "evangelos"),
    ("Ivanov", "ru", "иванов"),
    ("Dmitry", "ru", "дмитрий"),
    ("Dostoevsky", "ru", "достоевский"),
    ("Olga", "ru", "ольга"),
    ("Oleksandr", "uk", "олександр"),
    ("Kovačević", "sr", "ковачевић"),
    ("Giorgos", "el", "γιώργος"),
    ("Papadakis", "el", "παπαδάκης"),
    ("Theodoridis", "el", "θεοδωρίδης"),
    ("Müller", "de", "muller mueller"),
    ("Mueller", "de", "mueller muller"),
    ("Weiß", "de", "weiss"),
    ("Sørensen", "da", "sorensen soerensen"),
    ("Åse", "no", "ase aase"),
    ("Łukasz", "pl", "lukasz"),
    ("Muñoz", "es", "munoz"),
    ("Őry", "hu", "ory"),
]

NICKS = [
    ("Stephen", "en", "steve"),
    ("Steve", "en", "stephen steven"),
    ("Robert", "en", "bob rob"),
    ("Elizabeth", "en", "liz beth"),
    ("Aleksandra", "pl", "ola"),
    ("Jakub", "pl", "kuba"),
    ("Jan", "cs", "honza"),
    ("Josef", "cs", "pepa"),
    ("Erzsébet", "hu", "bözsi"),
    ("István", "hu", "pista"),
    ("Александр", "ru", "саша шура sasha"),
    ("Саша", "ru", "александр александра"),
    ("Κωνσταντίνος", "el", "κώστας kostas"),
    ("Francisco", "es", "paco"),
    ("Giuseppe", "it", "beppe"),
    ("Johannes", "de", "hannes"),
    ("Karl", "sv", "kalle"),
    ("Gheorghe", "ro", "ghiță"),
    ("Maria", "pt", "mia"),
    ("Guillaume", "fr", "guigui"),
]


def of(name: str, languages: Sequence[str]) -> Forms:
    surname = name.startswith("s:")
    return forms(Part(name.removeprefix("s:"), SURNAME if surname else GIVEN), languages)


def every(found: Forms) -> list[str]:
    return [*found.base, *found.inflected, *found.nicks, *found.nicks_inflected]


@pytest.mark.parametrize("language", sorted(CASES))
def test_names_change_as_in_their_language(language: str) -> None:
    missed = {
        name: sorted(lacking)
        for name, written in CASES[language].items()
        if (lacking := {folded(form) for form in written.split()} - set(every(of(name, [language]))))
    }
    assert missed == {}


@pytest.mark.parametrize(("name", "language", "spellings"), SPELLINGS)
def test_other_letters(name: str, language: str, spellings: str) -> None:
    assert {folded(each) for each in spellings.split()} <= set(of(name, [language]).base)


@pytest.mark.parametrize(("name", "language", "nicks"), NICKS)
def test_nicknames(name: str, language: str, nicks: str) -> None:
    assert {folded(each) for each in nicks.split()} <= set(of(name, [language]).nicks)


def test_a_name_in_cyrillic_changes_in_polish_texts_by_its_latin_spelling() -> None:
    assert {"ivana", "ivanowi"} <= set(of("Иван", ["ru", "pl"]).inflected)


@pytest.mark.parametrize("name", ["s:Bo", "Ai", "Li"])
def test_names_of_two_letters_do_not_change(name: str) -> None:
    assert not of(name, ["pl", "fi", "hu", "cs"]).inflected


@pytest.mark.parametrize(
    ("name", "language", "forms_"),
    [
        ("s:Lis", "pl", "lisa lisowi lisem"),
        ("s:Bek", "hr", "beka beku bekom"),
        ("Jan", "en", "janem janowi jana"),
        ("Eva", "en", "evy evou"),
        ("Elena", "es", "elenei"),
        ("Slavko", "sr", "slavka slavku slavkom"),
        ("Петър", "bg", "петре"),
        ("Александър", "bg", "александре"),
    ],
)
def test_short_names_change_and_given_ones_as_wherever_they_are_borne(name: str, language: str, forms_: str) -> None:
    assert set(forms_.split()) <= set(of(name, [language]).inflected)


def test_surnames_have_no_nicknames() -> None:
    assert not of("s:Stephen", ["en"]).nicks


@pytest.mark.parametrize(
    ("spelling", "language"),
    [
        ("Marek Kowalski", "pl"),
        ("Wójcik", "pl"),
        ("Kowalska Anna", "pl"),
        ("Ivanova Maria", "ru"),
        ("Zdeněk Dvořák", "cs"),
        ("Matti Virtanen", "fi"),
        ("Szabó Anna", "hu"),
        ("Jonas Kazlauskas", "lt"),
        ("Γιώργος Παππάς", "el"),
        ("Giorgos Papadopoulos", "el"),
        ("Иван Смирнов", "ru"),
        ("Тарас Шевченко", "uk"),
        ("Jürgen Krüger", "de"),
        ("Jānis Bērziņš", "lv"),
        ("Ștefan Popescu", "ro"),
        ("Tõnu Tamm", "et"),
        ("Søren Jensen", "da"),
        ("Seán Murphy", "ga"),
        ("Steve Miller", "en"),
    ],
)
def test_a_spelling_tells_its_languages(spelling: str, language: str) -> None:
    assert language in languages_of(spelling)


def test_a_locale_comes_first_and_a_platforms_languages_last() -> None:
    assert languages_of("Steve Miller", "pl_PL", ["fi"])[0] == "pl"
    assert languages_of("Steve Miller", None, ["fi"])[-1] == "fi"
    assert languages_of("🙂") == ()


def test_rarer_given_names_are_known_and_guess_no_language_of_common_ones() -> None:
    assert is_given("Ailbhe")
    assert "ga" in bearers_of("Ailbhe")
    assert not set(further_given_names()) & {"the", "und"}
    assert bearers_of("Anna")[: len(given_names()["anna"])] == given_names()["anna"]


SCRIPTS = [
    "abcdefghijklmnopqrstuvwxyzäöüßąęłńśźżčřšžáéíóőúűåøāēīņ",
    "абвгдежзийклмнопрстуфхцчшщьюяіїєћђ",
    "αβγδεζηθικλμνξοπρςστυφχψωάέήίόύώ",
]
WORDS = st.one_of([st.text(letters, min_size=1, max_size=50) for letters in SCRIPTS]) | st.sampled_from(
    sorted(given_names())
)


@given(WORDS, st.sampled_from(list(NameRole)), st.lists(st.sampled_from(sorted(LANGUAGES)), max_size=6))
def test_forms_are_folded_few_and_in_one_set_only(word: str, role: NameRole, languages: list[str]) -> None:
    found = every(forms(Part(word, role), languages))
    assert len(found) == len(set(found)) <= MOST
    assert all(found)
    assert all(folded(form) == form for form in found)


@given(st.text(max_size=60) | st.lists(WORDS, max_size=6).map(" ".join))
def test_every_spelling_is_read(spelling: str) -> None:
    languages = languages_of(spelling)
    for part in read_name(spelling, languages).parts:
        assert every(forms(part, languages))


@given(WORDS)
def test_a_word_of_one_alphabet_folds_as_the_words_of_texts(word: str) -> None:
    assert folded(word) == fold_name(word)
