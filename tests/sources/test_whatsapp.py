"""Chats that WhatsApp exports as text become direct messages, in the many forms of their dates."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from demur.errors import SourceError

Items = Callable[..., list[dict[str, Any]]]
Folder = Callable[..., str]
Zipped = Callable[..., str]


@pytest.fixture
def read(items: Items, folder: Folder) -> Callable[..., list[dict[str, Any]]]:
    """Reads one chat."""
    return lambda text, **options: items("whatsapp", folder({"WhatsApp Chat with Ann.txt": text.encode()}), **options)


def marked(row: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(row["text"][span["start"] : span["end"]], span["role"], span["account"]) for span in row["spans"]]


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("[27.03.22, 21:41:35] Ann:", 35),
        ("\u200e[27/03/2022, 21:41:35] Ann:", 35),
        ("[3/27/22, 9:41:35\u202fPM] Ann:", 35),
        ("[2022-03-27, 9:41:35 p.m.] Ann:", 35),
        ("[27.3.2022 klo 21.41.35] Ann:", 35),
        ("27/03/2022, 21:41 - Ann:", 0),
        ("27/03/2022 21:41 - Ann:", 0),
        ("3/27/22, 9:41 PM - Ann:", 0),
        ("27/3/22, 9:41 p. m. - Ann:", 0),
        ("27.03.22, 21:41 - Ann:", 0),
        ("27-03-2022 21:41 - Ann:", 0),
        ("2022-03-27, 21:41 - Ann:", 0),
        ("2022/3/27 下午9:41 - Ann:", 0),
        ("27/3/2022 a las 21:41 - Ann:", 0),
        ("27.03.22 um 21:41 \u2013 Ann:", 0),
        ("2022년 3월 27일 오후 9:41, Ann :", 0),
        ("2022. 3. 27. 오후 9:41 - Ann:", 0),
        ("[٢٧\u200f/٣\u200f/٢٠٢٢، ٩:٤١:٣٥ م] Ann:", 35),
        ("27/3/2565 21:41 - Ann:", 0),
    ],
)
def test_dates_of_many_phones(read: Items, head: str, seconds: int) -> None:
    first, second = read(f"{head} hello: there\nand more\n\nof it\n{head} bye\n")

    assert (first["text"], second["text"]) == ("hello: there\nand more\n\nof it", "bye")
    assert first["created"] == datetime(2022, 3, 27, 21, 41, seconds, tzinfo=UTC)
    assert (first["author"], first["kind"], first["audience"]) == ("whatsapp-name:Ann", "message", "direct")
    assert first["thread"] == second["thread"] != first["item"] != second["item"]


def test_one_date_tells_the_order_of_all(read: Items) -> None:
    early = "03/04/2022, 21:41 - Ann: a\n"

    assert read(early)[0]["created"] is None
    assert read(early, date_order="mdy")[0]["created"] == datetime(2022, 3, 4, 21, 41, tzinfo=UTC)
    assert read(f"{early}13/04/2022, 21:41 - Ann: b\n")[0]["created"] == datetime(2022, 4, 3, 21, 41, tzinfo=UTC)
    assert read(f"{early}03/13/2022, 21:41 - Ann: b\n")[0]["created"] == datetime(2022, 3, 4, 21, 41, tzinfo=UTC)
    assert read("31/02/2022, 21:41 - Ann: a\n")[0]["created"] is None


def test_midnight_noon_and_time_zones(read: Items) -> None:
    text = "3/27/22, 12:05 AM - Ann: a\n3/27/22, 12:05 PM - Ann: b\n"

    assert [row["created"].hour for row in read(text)] == [0, 12]
    assert [row["created"].hour for row in read(text, timezone="Asia/Tokyo")] == [15, 3]


def test_what_whatsapp_wrote_is_nobodys(read: Items) -> None:
    rows = read(
        "27/03/2022, 21:40 - Messages and calls are end-to-end encrypted.\n"
        "27/03/2022, 21:41 - Ann created group\n"
        "27/03/2022, 21:42 - Ann: hi\n"
        "27/03/2022, 21:43 - Ben joined\n"
        "[27.03.22, 21:44:00] Garden: \u200eMessages and calls are end-to-end encrypted.\n"
    )

    assert [row["text"] for row in rows] == ["hi", None]


@pytest.mark.parametrize(
    ("text", "said", "files", "deleted"),
    [
        ("<Media omitted>", None, [], False),
        ("<Medien ausgeschlossen>", None, [], False),
        ("\u200eimage omitted", None, [], False),
        ("\u200e<attached: 0001-PHOTO-2022.jpg>", "", ["0001-PHOTO-2022.jpg"], False),
        ("look \u200e<angehängt: 0001-PHOTO-2022.jpg>", "look", ["0001-PHOTO-2022.jpg"], False),
        ("IMG-20220327-WA0001.jpg (file attached)\nmy garden", "my garden", ["IMG-20220327-WA0001.jpg"], False),
        ("\u200eroses.pdf (Datei angehängt)", "", ["roses.pdf"], False),
        ("hello <This message was edited>", "hello", [], False),
        ("hallo \u200e<Diese Nachricht wurde bearbeitet.>", "hallo", [], False),
        ("This message was deleted", None, [], True),
        ("\u200eDu hast diese Nachricht gelöscht.", None, [], True),
        ("a <b> c", "a <b> c", [], False),
    ],
)
def test_files_edits_and_deletions(
    read: Items, text: str, said: str | None, files: list[str], *, deleted: bool
) -> None:
    (row,) = read(f"27/03/2022, 21:41 - Ann: {text}\n")

    assert (row["text"], [one["uri"] for one in row["media"]], row["deleted"]) == (said, files, deleted)


def test_numbers_are_accounts_and_mentions_are_spans(read: Items) -> None:
    (row,) = read("27/03/2022, 21:41 - \u202a+49 170 1234567\u202c: hi @4917012345678 and @\u2068~Ben B.\u2069!\n")

    assert row["author"] == "whatsapp:491701234567"
    assert marked(row) == [
        ("@4917012345678", "mention", "whatsapp:4917012345678"),
        ("@~Ben B.", "mention", "whatsapp-name:Ben B."),
    ]


def test_a_later_export_gives_the_messages_the_same_ids(items: Items, zipped: Zipped) -> None:
    older = "[27.03.22, 21:41:35] Ann: a\n[27.03.22, 21:41:35] Ann: b\n"
    newer = "[27.03.22, 21:41:35] Ann: a\n[27.03.22, 21:41:35] Ann: b\n[28.03.22, 21:41:35] Ben: c\n"

    first = items("whatsapp", zipped({"_chat.txt": older.encode()}, "WhatsApp Chat - Ann.zip"))
    second = items("whatsapp", zipped({"_chat.txt": newer.encode(), "a.jpg": b""}, "WhatsApp Chat - Ann (1).zip"))

    assert [row["item"] for row in first] == [row["item"] for row in second[:2]]
    assert len({row["item"] for row in second}) == 3


def test_other_texts_of_a_folder_are_passed_over(items: Items, folder: Folder) -> None:
    chat = "\ufeff27/03/2022, 21:41 - Ann: hi\r\n".encode()

    assert [row["text"] for row in items("whatsapp", folder({"a.txt": chat, "LICENSE.txt": b"words\n"}))] == ["hi"]


@pytest.mark.parametrize(
    ("tree", "options", "sentence"),
    [
        ({"a.txt": b"no chat\n"}, {}, "no text begins like"),
        ({"a.pdf": b"27/03/2022, 21:41 - Ann: hi\n"}, {}, "no text begins like"),
        ({"a.txt": b"27/03/2022, 21:41 - Ann: hi\n"}, {"timezone": "Mars"}, "is no time zone"),
        ({"a.txt": b"27/03/2022, 21:41 - Ann: hi\n"}, {"date_order": "ymd"}, "'date_order' does not fit"),
    ],
)
def test_bad_input_is_one_sentence(
    items: Items, folder: Folder, tree: dict[str, bytes], options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        items("whatsapp", folder(tree), **options)
