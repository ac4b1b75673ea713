"""A reason or a file, added to an objection that stands already: what is taken, and how it is kept."""

import pytest
from erasing import erase_details
from pages import Page, Visitor
from places import content
from town import ANN
from ways import as_person, bound, by_link, state_of

from demur.web.desk import Desk
from demur.web.portal.attach import FULL, MOST
from demur.web.sniffing import file_type

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40
EML = b"From: ann@town.example\r\nTo: hello@town.example\r\nSubject: No\r\n\r\nI object. \xe4\r\n"
TEXT = "Ich möchte das nicht.\n".encode()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (EML, "message/rfc822"),
        (b"Received: by a\nReceived: by b\nDate: today\n\nhello", "message/rfc822"),
        (TEXT, "text/plain"),
        (b"\xef\xbb\xbfa text with a mark", "text/plain"),
        (b"Subject: only one field of a mail\n\nso it is a text", "text/plain"),
        (b"", None),
        (b" \n", None),
        (b"<!doctype html><script>alert(1)</script>", None),
        (b"  <svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", None),
        (b"<?xml version='1.0'?><a/>", None),
        (b"\xef\xbb\xbf<html>", None),
        (b"MZ\x90\0\x03\0\0\0", None),
        (b"\x7fELF\x02\x01\x01", None),
        (b"PK\x03\x04" + b"\0" * 20, None),
        (b"GIF89a" + b"\0" * 20, None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
        (b"text with a \0 in it", None),
        (b"latin \xe4\xf6", None),
        ("<html>".encode("utf-16"), None),
    ],
)
def test_a_file_is_what_its_content_says(content: bytes, media_type: str | None) -> None:
    kind = file_type(content)
    assert (kind.media_type if kind else None) == media_type


def add(visitor: Visitor, receipt: Page, reason: str = "", status: int = 200, **files: tuple[str, bytes, str]) -> Page:
    form = receipt.forms[0]
    assert form.element.get("enctype") == "multipart/form-data"
    return visitor.post(form.action, {"reason": reason}, status, files=files or {"file": ("", b"", "")})


def test_a_reason_and_a_file_are_optional_and_come_after_the_objection_stands(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    assert bound(desk, ANN)
    assert "Reason (optional)" in receipt.text
    assert "File (optional)" in receipt.text
    assert not [each for each in receipt.forms[0].element.iter() if each.get("required") is not None]


def test_what_is_added_is_sealed_and_kept_under_a_name_of_ours(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    name = "../../etc/<script>alert(1)</script>\r\nx: y.pdf"
    page = add(visitor, receipt, "Because Zanzibar.", file=(name, PDF, "text/html"))
    assert "We have added it to your objection." in page.text
    reference = state_of(desk, page).reference
    kept = desk.register.attachments.of(reference)
    assert [(each.name, each.type) for each in kept] == [
        ("reason-1.txt", "text/plain"),
        ("attachment-2.pdf", "application/pdf"),
    ]
    assert [desk.register.attachments.read(each.id) for each in kept] == [b"Because Zanzibar.", PDF]
    stored = content(desk.workspace)
    assert b"Zanzibar" not in stored
    assert PDF not in stored


def test_what_was_added_is_never_served_here(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    page = add(visitor, receipt, "Because Zanzibar.", file=("a.txt", TEXT, "text/plain"))
    assert "Zanzibar" not in page.html
    assert "Zanzibar" not in visitor.get(receipt.path).html
    for path in ("add", "1", "2", "attachments/1"):
        assert visitor.client.get(f"{receipt.path}/{path}").status_code in {404, 405}


@pytest.mark.parametrize("content", [b"<html>hello</html>", b"GIF89a\0...", b"MZ\x90\0"])
def test_a_file_of_another_type_comes_back_and_the_objection_stands(
    visitor: Visitor, desk: Desk, content: bytes
) -> None:
    receipt = by_link(visitor, desk)
    page = add(visitor, receipt, "Why not?", 422, file=("a.pdf", content, "application/pdf"))
    assert list(page.errors) == ["file"]
    assert page.forms[0].values["reason"] == "Why not?", "the answer is kept"
    assert bound(desk, ANN)
    assert desk.register.attachments.of(state_of(desk, page).reference) == []


def test_nothing_at_all_comes_back(visitor: Visitor, desk: Desk) -> None:
    page = add(visitor, by_link(visitor, desk), "  \n ", 422)
    assert list(page.errors) == ["reason"]


def limited(desk: Desk, megabytes: int) -> None:
    path = desk.workspace.policy_path
    path.write_text(path.read_text().replace("attachment_mb = 10", f"attachment_mb = {megabytes}"))
    assert desk.policy().portal.attachment_mb == megabytes


def test_a_file_over_the_limit_comes_back_and_one_far_over_it_is_not_read(visitor: Visitor, desk: Desk) -> None:
    limited(desk, 1)
    receipt = by_link(visitor, desk)
    page = add(visitor, receipt, "", 422, file=("a.pdf", PDF + b" " * 1024 * 1024, "application/pdf"))
    assert list(page.errors) == ["file"]
    add(visitor, receipt, "", 413, file=("a.pdf", PDF + b" " * 2 * 1024 * 1024, "application/pdf"))
    assert add(visitor, receipt, "", file=("a.pdf", PDF + b" " * 1000 * 1024, "application/pdf")).status == 200


def test_a_portal_that_takes_no_files_still_takes_a_reason(visitor: Visitor, desk: Desk) -> None:
    limited(desk, 0)
    receipt = by_link(visitor, desk)
    assert "File" not in receipt.text
    assert add(visitor, receipt, "No.").status == 200
    add(visitor, receipt, "No.", 422, file=("a.pdf", PDF, "application/pdf"))


def test_a_reason_of_any_length_and_letters_is_taken(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    for reason in ("x", "Δεν θέλω, 不要 \U0001f645", "a" * 10_000):
        add(visitor, receipt, reason)
    kept = desk.register.attachments.of(state_of(desk, receipt).reference)
    assert [len(desk.register.attachments.read(each.id).decode()) for each in kept] == [1, 14, 10_000]


def test_one_receipt_does_not_fill_the_disk(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    for _ in range(MOST):
        add(visitor, receipt, "again")
    page = add(visitor, receipt, "again", 422)
    assert list(page.errors) == ["reason"]


def test_files_of_one_objection_are_bounded_together_and_a_reason_still_fits(visitor: Visitor, desk: Desk) -> None:
    limited(desk, 1)
    receipt = by_link(visitor, desk)
    third = PDF + b" " * (1024 * 1024 - len(PDF))
    for _ in range(FULL):
        assert add(visitor, receipt, file=("a.pdf", third, "application/pdf")).status == 200
    page = add(visitor, receipt, "", 422, file=("a.pdf", PDF, "application/pdf"))
    assert page.errors == {"reason": "We cannot add more to this objection here. Write to us instead."}
    assert add(visitor, receipt, "A reason.").status == 200
    add(visitor, receipt, "Both.", 422, file=("a.pdf", PDF, "application/pdf"))
    kept = desk.register.attachments.of(state_of(desk, receipt).reference)
    assert [each.type for each in kept] == ["application/pdf"] * FULL + ["text/plain"], "both or neither"
    assert bound(desk, ANN)


def test_files_that_fill_one_receipt_take_nothing_from_another(visitor: Visitor, desk: Desk) -> None:
    limited(desk, 1)
    full = PDF + b" " * (1024 * 1024 - len(PDF))
    first, second = by_link(visitor, desk), as_person(visitor, names="Ann")
    for _ in range(FULL):
        add(visitor, first, file=("a.pdf", full, "application/pdf"))
    assert add(visitor, second, file=("a.pdf", full, "application/pdf")).status == 200


def test_broken_forms_are_one_page(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    path = receipt.forms[0].action
    for kind, body in (
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\nx"),
        ("multipart/form-data; boundary=a", b"--a\r\ncontent-disposition: form-data\r\n\r\nx\r\n--a--"),
    ):
        answer = visitor.client.post(path, content=body, headers={"content-type": kind})
        assert answer.status_code in {400, 422}, (kind, body)


def test_somebody_without_an_account_can_add_too(visitor: Visitor, desk: Desk) -> None:
    page = add(visitor, as_person(visitor, names="Ann"), "For my child.")
    (kept,) = desk.register.attachments.of(state_of(desk, page).reference)
    assert desk.register.attachments.read(kept.id) == b"For my child."


def test_an_erased_person_can_add_nothing_and_reads_why(visitor: Visitor, desk: Desk) -> None:
    receipt = by_link(visitor, desk)
    erase_details(desk.register, ANN)
    page = add(visitor, receipt, "Because.", 422)
    assert list(page.errors) == ["reason"]
