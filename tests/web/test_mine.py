"""What would be used of a member's: the proof, the session, and what it shows."""

import io
import json
import re
import tempfile
import zipfile
from datetime import date
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pytest
from making import batch, item, span
from pages import Page, Visitor
from places import decide
from starlette.requests import Request
from starlette.responses import Response
from town import ANN, DIETER, EWA, SILENT, town_policy

from demur.corpus.find import find
from demur.corpus.importing import import_items
from demur.errors import WorkspaceError
from demur.notices.words import day
from demur.policy import Accounts, Door
from demur.register import MEMBER as COLUMNS
from demur.rights import erasing
from demur.terms import Audience
from demur.tokens import Purpose
from demur.web import heavy
from demur.web.desk import Desk
from demur.web.portal.mine import _in_a_month, shortened
from demur.web.sign_ins import MEMBER


def letters(desk: Desk) -> list[tuple[str, str, str]]:
    """What waits to be sent: to whom, in which language, and where its link leads."""
    waiting = desk.register.mails.claim(10)
    return [(each.address, each.language, urlsplit(str(each.params["url"])).path) for each in waiting]


def ask(visitor: Visitor, typed: str, language: str = "en") -> Page:
    return visitor.submit(visitor.get(f"/{language}/mine"), {"account": typed})


def sign_in(visitor: Visitor, desk: Desk, typed: str = "ann") -> Page:
    visitor.post("/en/mine", {"account": typed})
    ((_, _, link),) = letters(desk)
    return visitor.submit(visitor.get(link))


def member(visitor: Visitor, desk: Desk, account: str) -> str:
    """The cookie of somebody whom the platform signed in."""
    request = Request({"type": "http", "app": visitor.client.app, "headers": [], "scheme": "http"})
    answer = Response()
    MEMBER.begin(request, answer, desk.keys.pepper.subject_key(account), account)
    return SimpleCookie(answer.headers["set-cookie"])["member"].value


@pytest.mark.parametrize("typed", ["ann", "@ann", "ann@town.example", "Ann@Town.Example", "mastodon:@ann@town.example"])
def test_a_link_goes_to_the_address_on_file_however_the_account_is_typed(
    visitor: Visitor, desk: Desk, typed: str
) -> None:
    assert ask(visitor, typed, "de").path == "/de/mine/asked"
    ((address, language, link),) = letters(desk)
    assert (address, language) == ("ann@town.example", "de")
    assert link.startswith("/de/mine/")


def test_the_answer_is_the_same_whether_the_account_exists_or_not(visitor: Visitor, desk: Desk) -> None:
    answers = {ask(visitor, typed).html for typed in ("ann", "silent", "nobody", "nobody@nowhere.example")}
    assert len(answers) == 1
    assert len(letters(desk)) == 1


def test_the_session_shows_what_the_corpus_has_by_and_about_the_member_and_no_other(
    visitor: Visitor, desk: Desk
) -> None:
    page = sign_in(visitor, desk)
    assert page.path == "/en/mine"
    assert "The library opens at nine." in page.text
    assert "<b>Bold</b> & brave" in page.text, "markup in a text is shown, not obeyed"
    assert "czy jutro pieczesz" in page.text, "what others wrote about Ann"
    assert "Der Markt" not in page.text


def test_looking_at_the_link_opens_nothing(visitor: Visitor, desk: Desk) -> None:
    ask(visitor, "ann")
    ((_, _, link),) = letters(desk)
    for _ in range(3):
        assert len(visitor.get(link).forms) == 1
        visitor.client.head(link)
    assert "The library" not in visitor.get("/en/mine").text
    assert "The library" in visitor.submit(visitor.get(link)).text, "the scanner has not used it up"


def test_the_link_works_once(visitor: Visitor, desk: Desk) -> None:
    ask(visitor, "ann")
    ((_, _, link),) = letters(desk)
    question = visitor.get(link)
    visitor.submit(question)
    visitor.client.cookies.clear()
    visitor.submit(question, status=404)
    assert "The library" not in visitor.get("/en/mine").text


@pytest.mark.parametrize("purpose", [Purpose.OBJECT, Purpose.CONFIRM, Purpose.RECEIPT])
def test_no_other_link_opens_a_session(visitor: Visitor, desk: Desk, purpose: Purpose) -> None:
    token = desk.tokens.make(purpose, desk.keys.pepper.subject_key(ANN))
    visitor.get(f"/en/mine/{token}", status=404)
    visitor.post(f"/en/mine/{token}", status=404)


def test_a_link_to_read_that_never_expires_is_none(visitor: Visitor, desk: Desk) -> None:
    token = desk.tokens.make(Purpose.READ, desk.keys.pepper.subject_key(ANN))
    visitor.post(f"/en/mine/{token}", status=404)


def test_what_is_no_account_comes_back_with_the_field_as_it_was(visitor: Visitor) -> None:
    page = visitor.submit(visitor.get("/en/mine"), {"account": "https://nowhere.example/<script>"}, status=422)
    assert list(page.errors) == ["account"]
    assert page.forms[0].values["account"] == "https://nowhere.example/<script>"


def test_acts_ask_for_the_code_of_the_session(visitor: Visitor, desk: Desk) -> None:
    page = sign_in(visitor, desk)
    for act in ("copy", "delete", "object", "end"):
        visitor.post(f"/en/mine/{act}", status=403)
        visitor.post(f"/en/mine/{act}", {"csrf": "guessed"}, status=403)
    assert "The library" in visitor.get(page.path).text, "nothing happened"


def test_a_code_of_another_session_is_refused(visitor: Visitor, desk: Desk) -> None:
    code = sign_in(visitor, desk, "dieter").forms[0].values["csrf"]
    visitor.client.cookies.clear()
    sign_in(visitor, desk, "ann")
    visitor.post("/en/mine/object", {"csrf": code}, status=403)
    assert not desk.register.objections.of(ANN)
    assert not desk.register.objections.of(DIETER)


def test_a_session_ends_when_its_holder_says_so(visitor: Visitor, desk: Desk) -> None:
    page = sign_in(visitor, desk)
    cookies = dict(visitor.client.cookies)
    leave = next(index for index, form in enumerate(page.forms) if form.action.endswith("/mine/end"))
    visitor.submit(page, form=leave)
    visitor.client.cookies.update(cookies)
    assert "The library" not in visitor.get("/en/mine").text, "nor does the old cookie work any more"


def test_a_session_that_somebody_fixed_beforehand_is_not_the_one_that_opens(visitor: Visitor, desk: Desk) -> None:
    sign_in(visitor, desk, "dieter")
    before = dict(visitor.client.cookies)
    sign_in(visitor, desk, "ann")
    assert dict(visitor.client.cookies) != before
    visitor.client.cookies.clear()
    visitor.client.cookies.update(before)
    assert "Der Markt" not in visitor.get("/en/mine").text, "the one before has ended"


def test_the_cookie_is_for_this_site_and_no_script(visitor: Visitor, desk: Desk) -> None:
    ask(visitor, "ann")
    ((_, _, link),) = letters(desk)
    answer = visitor.client.post(link, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert re.search(r"HttpOnly", cookie)
    assert re.search(r"SameSite=strict", cookie)


def test_who_has_signed_in_objects_with_one_click(visitor: Visitor, desk: Desk) -> None:
    page = sign_in(visitor, desk)
    act = next(index for index, form in enumerate(page.forms) if form.action.endswith("/mine/object"))
    assert visitor.submit(page, form=act).path.startswith("/en/receipt/")
    assert [each.binding for each in desk.register.objections.of(ANN)] == [True]
    again = visitor.get("/en/mine")
    assert "is not used for new versions" in again.text
    assert not [form for form in again.forms if form.action.endswith("/mine/object")], "once is enough"


def test_the_copy_is_one_zip_of_what_is_held_and_stays_nowhere(
    visitor: Visitor, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    page = sign_in(visitor, desk)
    csrf = page.forms[0].values["csrf"]
    answer = visitor.client.post("/de/mine/copy", data={"csrf": csrf})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="copy.zip"'
    assert answer.headers["cache-control"] == "no-store"
    copy = json.loads(zipfile.ZipFile(io.BytesIO(answer.content)).read("copy.json"))
    texts = {row["text"] for row in copy["corpus"]["rows"]}
    assert "The library opens at nine." in texts
    assert "Der Markt ist heute auf dem Platz." not in texts
    assert not list(tmp_path.iterdir()), "nothing of it is left here"


def test_deletion_asks_once_deletes_and_ends_the_session(visitor: Visitor, desk: Desk) -> None:
    sign_in(visitor, desk)
    question = visitor.get("/en/mine/delete")
    assert "The library" in visitor.get("/en/mine").text, "asking changes nothing"
    page = visitor.submit(question)
    assert page.h1 == "Your data is deleted"
    assert re.search(r"Your reference: \S+", page.text)
    assert find(desk.workspace, ANN).own == 0
    assert find(desk.workspace, DIETER).own == 1
    assert "The library" not in visitor.get("/en/mine").text
    assert visitor.get("/en/mine/delete").path == "/en/mine", "who is in no session is asked who they are"


def test_an_item_is_a_card_with_its_kind_its_day_and_a_link(visitor: Visitor, desk: Desk) -> None:
    profiles = {"forum": "https://town.example/u/{name}"}
    decide(desk.workspace, town_policy(accounts=Accounts(profiles=profiles)))
    page = sign_in(visitor, desk)
    cards = [" ".join("".join(each.itertext()).split()) for each in page.tree.iter("article")]
    assert "Post · 1 March 2026 The library opens at nine. Open your profile" in cards[:2]
    assert cards[2] == "Post · 1 March 2026 It names you. [person] czy jutro pieczesz?"
    assert [link for link in page.links if "town.example/u/" in link] == ["https://town.example/u/ann"] * 2


def test_an_empty_page_says_what_that_means(visitor: Visitor, desk: Desk) -> None:
    visitor.client.cookies.set("member", member(visitor, desk, "forum:newcomer"))
    page = visitor.get("/en/mine")
    assert "Your posts may still come in, unless you object." in page.text
    assert "No post of others in the training data names you" in page.text
    desk.register.objections.lodge(["forum:newcomer"], channel="letter")
    page = visitor.get("/en/mine")
    assert "You objected, so it stays out." in page.text
    assert re.search(r"See your objection of \d+ \w+ \d{4}, or withdraw it", page.text)


def test_deleting_says_what_goes_what_stays_and_what_comes_next(visitor: Visitor, desk: Desk) -> None:
    sign_in(visitor, desk)
    question = visitor.get("/en/mine/delete")
    today = day(desk.now().date(), "en")
    stays = "What you posted stays where you posted it. We delete no post there."
    for said in (
        "This also objects for you.",
        "All that you posted leaves the training data.",
        stays,
        f"Your objection applies from {today} on.",
    ):
        assert said in question.text, said
    assert re.search(r"It is done by \d+ \w+ \d{4} at the latest", question.text)
    page = visitor.submit(question)
    assert "What you posted 2 What others posted about you 1 Published versions that we took back 0" in page.text
    assert stays in page.text
    assert f"Your objection applies from {today} on." in page.text
    assert "at the latest" not in page.text, "it is done"
    (receipt,) = {link for link in page.links if link.startswith("/en/receipt/")}
    assert visitor.get(receipt).path.startswith("/en/receipt/")


@pytest.mark.parametrize(
    ("since", "until"),
    [((2026, 1, 31), (2026, 2, 28)), ((2026, 12, 5), (2027, 1, 5)), ((2027, 2, 28), (2027, 3, 28))],
)
def test_a_month_ends_on_the_same_day_or_the_last(since: tuple[int, int, int], until: tuple[int, int, int]) -> None:
    assert _in_a_month(date(*since)) == date(*until)


def test_a_deletion_is_on_record_even_while_another_process_writes(
    visitor: Visitor, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heavy, "_PATIENCE_S", 0.0)
    sign_in(visitor, desk)
    question = visitor.get("/en/mine/delete")
    with desk.workspace.writing("import"):
        page = visitor.submit(question)
    assert page.h1 == "This takes longer than usual"
    assert re.search(r"It is done by \d+ \w+ \d{4} at the latest", page.text)
    assert find(desk.workspace, ANN).own == 2
    erasing.finish(desk.workspace)
    assert find(desk.workspace, ANN).own == 0


def test_an_act_is_tried_again_until_the_workspace_is_free() -> None:
    tries: list[int] = []

    def act() -> str:
        tries.append(1)
        if len(tries) < 3:
            msg = "busy"
            raise WorkspaceError(msg)
        return "done"

    assert heavy.patiently(act) == "done"
    tries.clear()
    with pytest.raises(WorkspaceError):
        heavy.patiently(act, patience=0.0)


def test_an_objection_that_names_two_accounts_opens_neither_to_the_other(visitor: Visitor, desk: Desk) -> None:
    desk.register.objections.lodge([ANN, DIETER], channel="letter")
    desk.register.objections.lodge([SILENT, ANN], channel="letter")
    assert "Der Markt" not in sign_in(visitor, desk).text
    visitor.client.cookies.clear()
    ask(visitor, "silent")
    assert not letters(desk), "the mail address on file for another account is not that of this one"


def test_what_somebody_else_typed_and_corrected_is_its_holders_to_keep_or_end(visitor: Visitor, desk: Desk) -> None:
    slip = visitor.submit(visitor.get("/en/object"), {"account": "dieter"})
    (way,) = (each for each in slip.links if each.endswith("/correct"))
    visitor.submit(visitor.get(way), {"account": "nobody"})
    desk.register.mails.claim(10)
    page = sign_in(visitor, desk, "dieter")
    (theirs,) = (each for each in page.links if "/confirm/" in each)
    assert not [each for each in page.links if "/receipt/" in each], "it tells of a correction that is not theirs"
    visitor.submit(visitor.get(theirs), button="no")
    assert not any(each.binding for each in desk.register.objections.of(DIETER))


def test_an_address_that_nobody_verified_opens_nothing_of_its_holders(visitor: Visitor, desk: Desk) -> None:
    """Mallory typed Dieter's address into a profile; her other account has an address of her own."""
    rows = [
        {"account": "forum:mallory", "names": ["Mallory"], "mail": "dieter@town.example"},
        {"account": "forum:m2", "linked": ["forum:mallory"], "mail": "m@evil.example", "mail_verified": True},
    ]
    desk.register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=COLUMNS)])
    his = desk.register.objections.lodge([DIETER], channel="letter", reason="mine alone").reference
    page = sign_in(visitor, desk, "m2")
    assert "Der Markt" not in page.text
    assert [form for form in page.forms if form.action.endswith("/mine/object")], "his objection is none of hers"
    answer = visitor.client.post("/en/mine/copy", data={"csrf": page.forms[0].values["csrf"]})
    copy = zipfile.ZipFile(io.BytesIO(answer.content)).read("copy.json").decode()
    assert set(json.loads(copy)["accounts"]) == {"forum:m2", "forum:mallory", "mail:m@evil.example"}
    assert not [secret for secret in (his, "mine alone", "Dieter Dachs", DIETER, "Der Markt") if secret in copy]
    visitor.submit(visitor.get("/en/mine/delete"))
    assert (desk.register.members.get("forum:mallory"), desk.register.objections.reason(his)) == (None, "mine alone")
    assert desk.register.members.get(DIETER) is not None
    assert desk.register.mails.address_of(desk.keys.pepper.subject_key("mail:dieter@town.example"))


def test_who_typed_an_address_gets_no_mail_for_it(visitor: Visitor, desk: Desk) -> None:
    """The link to see what is held of an address goes to it, whatever else its other users have."""
    rows: list[dict[str, object]] = [{"account": f"forum:m{n}", "mail": "silent@town.example"} for n in range(5)]
    rows += [{"account": f"forum:x{n}", "linked": ["forum:m1"], "mail": "m@evil.example"} for n in range(5)]
    desk.register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=COLUMNS)])
    ask(visitor, "silent@town.example")
    assert [address for address, *_ in letters(desk)] == ["silent@town.example"]


def test_of_what_not_everybody_could_read_only_the_part_about_the_member_is_shown(visitor: Visitor, desk: Desk) -> None:
    decide(desk.workspace, town_policy(door=Door(unknown_age="use", audiences=(Audience.PUBLIC, Audience.GROUP))))
    named = item("circle", EWA, "@ann owes me ten.", audience="group", spans=[span(0, 4, "mention", ANN)])
    import_items(desk.workspace, "forum", [batch([named])])
    page = sign_in(visitor, desk)
    assert "What others posted about you 2" in page.text
    assert "owes me ten" not in page.text


def test_much_is_shown_in_small_pages_and_the_copy_has_the_rest(visitor: Visitor, desk: Desk) -> None:
    posts = [item(f"more{number}", ANN, f"Number {number:03}. " + "ħ<&>" * 2000) for number in range(30)]
    import_items(desk.workspace, "forum", [batch(posts)])
    page = sign_in(visitor, desk)
    seen, pages = page.text, 1
    while following := [link for link in page.links if link == f"?page={pages + 1}"]:
        page, pages = visitor.get(f"/en/mine{following[0]}"), pages + 1
        seen += page.text
    assert pages == 5
    assert all(f"Number {number:03}." in seen for number in range(30))
    assert "The library" in seen
    visitor.get("/en/mine?page=99")
    visitor.get("/en/mine?page=0", status=404)
    visitor.get("/en/mine?page=<b>", status=404)


def test_a_member_whom_only_the_platform_knows_sees_their_content(visitor: Visitor, desk: Desk) -> None:
    import_items(desk.workspace, "forum", [batch([item("new", "forum:newcomer", "I am new here.")])])
    cookie = member(visitor, desk, "forum:newcomer")
    visitor.client.cookies.set("member", cookie)
    assert "I am new here." in visitor.get("/en/mine").text
    assert "newcomer" not in cookie, "the account in the cookie is sealed"
    tampered = cookie[:-2] + "xx"
    visitor.client.cookies.clear()
    visitor.client.cookies.set("member", tampered)
    assert "I am new" not in visitor.get("/en/mine").text


@pytest.mark.parametrize("cookie", ["", ".", "x", "x.y", "." * 50, "a.%%%", "\u00e9"])
def test_a_cookie_that_is_none_opens_nothing(visitor: Visitor, cookie: str) -> None:
    answer = visitor.client.get("/en/mine", headers=[(b"cookie", f"member={cookie}".encode())])
    assert answer.status_code == 200
    assert "The library" not in answer.text


def test_a_long_text_is_cut_by_bytes_and_between_characters() -> None:
    assert shortened("ħ" * 301) == "ħ" * 300 + " …"
    assert shortened("<" * 151) == "<" * 150 + " …"
    assert shortened("short") == "short"
