"""Forged, replayed, truncated, mixed up and expired: each token is refused with a page, and nothing changes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as elliptic
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pages import Visitor
from town import ANN, DIETER
from ways import URL, Platform, bound, by_link, letters, link, path_in, signed_in, state_of, typed

from demur.errors import WorkspaceError
from demur.tokens import Purpose, Tokens
from demur.web.desk import Desk
from demur.web.portal.platform_token import public_key
from demur.web.sign_ins import MEMBER
from demur.workspace import Workspace

Forge = Callable[[Desk], str]

PATHS = {Purpose.OBJECT: "o", Purpose.RECEIPT: "receipt", Purpose.CONFIRM: "confirm", Purpose.READ: "mine"}


def ann(desk: Desk) -> int:
    return desk.keys.pepper.subject_key(ANN)


def flipped(token: str, bit: int) -> str:
    """A token with one bit of its bytes turned."""
    whole = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    whole[bit // 8] ^= 1 << bit % 8
    return base64.urlsafe_b64encode(bytes(whole)).decode().rstrip("=")


def genuine(desk: Desk, purpose: Purpose) -> str:
    """A token that holds: for Ann's account, or for an objection of hers."""
    if purpose is Purpose.OBJECT:
        return desk.tokens.make(purpose, ann(desk))
    if purpose is Purpose.READ:
        return desk.tokens.make(purpose, ann(desk), expires=desk.now() + timedelta(hours=1))
    return desk.tokens.make(purpose, desk.register.objections.of(ANN)[0].seq)


DAMAGES: dict[str, Callable[[str], str]] = {
    "cut by one": lambda token: token[:-1],
    "cut to half": lambda token: token[: len(token) // 2],
    "cut to nothing but a letter": lambda token: token[:1],
    "one letter more": lambda token: token + "A",
    "twice": lambda token: token + token,
    "padded": lambda token: token + "=",
    "another alphabet": lambda token: "+" + token[1:],
    "the purpose turned": lambda token: flipped(token, 8),
    "the version turned": lambda token: flipped(token, 0),
    "the number turned": lambda token: flipped(token, 80),
    "the last bit of the code turned": lambda token: flipped(token, len(token) * 6 // 8 * 8 - 1),
    "in capitals": str.upper,
    "not ASCII": lambda token: "é" + token[1:],
    "a zero inside": lambda token: token[:5] + "%00" + token[6:],
    "spaces inside": lambda token: token[:5] + "%20" + token[6:],
}


def acting(purpose: Purpose, path: str) -> str:
    """Where a page's button leads."""
    return f"{path}/withdraw" if purpose is Purpose.RECEIPT else path


@pytest.mark.parametrize("purpose", list(PATHS))
def test_a_damaged_token_opens_nothing(
    visitor: Visitor, desk: Desk, purpose: Purpose, subtests: pytest.Subtests
) -> None:
    desk.register.objections.lodge([ANN], channel="letter")
    head, waiting = desk.register.log.head(), desk.register.mails.waiting()
    for name, damage in DAMAGES.items():
        with subtests.test(name):
            path = f"/en/{PATHS[purpose]}/{damage(genuine(desk, purpose))}"
            visitor.get(path, 404)
            visitor.post(acting(purpose, path), {"answer": "no"}, 404)
            assert (desk.register.log.head(), desk.register.mails.waiting()) == (head, waiting)


@pytest.mark.parametrize("purpose", list(PATHS))
@pytest.mark.parametrize("other", list(PATHS))
def test_a_token_for_another_purpose_opens_nothing(
    visitor: Visitor, desk: Desk, purpose: Purpose, other: Purpose
) -> None:
    if purpose is other:
        return
    desk.register.objections.lodge([ANN], channel="letter")
    head = desk.register.log.head()
    path = f"/en/{PATHS[purpose]}/{genuine(desk, other)}"
    visitor.get(path, 404)
    visitor.post(acting(purpose, path), {"answer": "yes"}, 404)
    if purpose is Purpose.RECEIPT:
        visitor.post(f"{path}/add", {"reason": "x"}, 404)
    assert desk.register.log.head() == head
    assert not visitor.client.cookies


@pytest.mark.parametrize("purpose", list(PATHS))
def test_a_token_of_another_workspace_opens_nothing(visitor: Visitor, desk: Desk, purpose: Purpose) -> None:
    desk.register.objections.lodge([ANN], channel="letter")
    head = desk.register.log.head()
    later = desk.now() + timedelta(hours=1) if purpose is Purpose.READ else None
    forged = Tokens(b"\0" * 32).make(purpose, ann(desk), expires=later)
    visitor.get(f"/en/{PATHS[purpose]}/{forged}", 404)
    visitor.post(acting(purpose, f"/en/{PATHS[purpose]}/{forged}"), {"answer": "no"}, 404)
    assert desk.register.log.head() == head


def test_a_link_that_does_not_work_says_how_to_go_on_without_it(visitor: Visitor, desk: Desk) -> None:
    page = visitor.get(link(desk)[:-1], 404)
    assert page.h1 == "This link does not work"
    assert "/en/object" in page.links


def test_one_persons_link_objects_for_nobody_else(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk, ANN)
    assert not bound(desk, DIETER)


def test_one_persons_receipt_withdraws_nobody_elses_objection(visitor: Visitor, desk: Desk) -> None:
    theirs = by_link(visitor, desk, DIETER)
    mine = by_link(visitor, desk, ANN)
    assert state_of(desk, theirs).reference not in mine.html
    visitor.submit(visitor.get(f"{mine.path}/withdraw"))
    assert bound(desk, DIETER)


def test_the_next_number_is_not_the_next_receipt(visitor: Visitor, desk: Desk) -> None:
    """The number stands in the token in the clear: counting it up is noticed."""
    mine = by_link(visitor, desk, ANN)
    by_link(visitor, desk, DIETER)
    token = mine.path.rpartition("/")[2]
    whole = bytearray(base64.urlsafe_b64decode(token))
    whole[10] += 1
    visitor.get(f"/en/receipt/{base64.urlsafe_b64encode(bytes(whole)).decode()}", 404)


def test_one_persons_question_answers_for_nobody_else(visitor: Visitor, desk: Desk) -> None:
    typed(visitor, "ann")
    typed(visitor, "dieter")
    first, second = letters(desk)
    assert first.address == "ann@town.example"
    visitor.submit(visitor.get(path_in(first)), button="no")
    assert not bound(desk, ANN)
    assert bound(desk, DIETER)
    assert second.params["confirm_url"] != first.params["confirm_url"]


def test_a_link_to_object_opens_nothing_of_the_person(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk)
    page = visitor.get("/en/mine")
    assert "The library" not in page.text
    assert not visitor.client.cookies


def test_a_link_to_read_that_has_expired_or_never_does_opens_nothing(visitor: Visitor, desk: Desk) -> None:
    past = desk.tokens.make(Purpose.READ, ann(desk), expires=desk.now() - timedelta(seconds=1))
    for token in (past, desk.tokens.make(Purpose.READ, ann(desk))):
        visitor.post(f"/en/mine/{token}", {}, 404)
    assert not visitor.client.cookies


def test_a_link_to_read_opens_once(visitor: Visitor, desk: Desk) -> None:
    token = genuine(desk, Purpose.READ)
    visitor.submit(visitor.get(f"/en/mine/{token}"))
    assert "The library" in visitor.get("/en/mine").text
    visitor.client.cookies.clear()
    visitor.post(f"/en/mine/{token}", {}, 404)
    assert not visitor.client.cookies


# The platform's tokens


@pytest.fixture
def platform(workspace: Workspace) -> Platform:
    made = Platform()
    made.known_to(workspace)
    return made


def raw(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A token put together by hand, as an attacker would."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    times = {name: int(each.timestamp()) if isinstance(each, datetime) else each for name, each in claims.items()}
    signed = f"{part(json.dumps(header).encode())}.{part(json.dumps(times).encode())}"
    return f"{signed}.{part(sign(signed.encode()))}"


def keyed(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda message: hmac.digest(secret, message, "sha256")


def soon(minutes: float) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def _embedded(p: Platform) -> str:
    other = Platform()
    x = base64.urlsafe_b64encode(other.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    header = {"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x.rstrip("=")}}
    return raw(header, p.claims(), other.key.sign)


FORGED: dict[str, Callable[[Platform], str]] = {
    "nothing": lambda _: "",
    "no token": lambda _: "hello",
    "two parts": lambda p: p.token().rpartition(".")[0],
    "no signature": lambda p: p.token().rpartition(".")[0] + ".",
    "alg none": lambda p: raw({"alg": "none"}, p.claims(), lambda _: b""),
    "alg None, signed": lambda p: raw({"alg": "None"}, p.claims(), p.key.sign),
    "no alg": lambda p: raw({"typ": "JWT"}, p.claims(), p.key.sign),
    "HS256 with the PEM": lambda p: raw({"alg": "HS256"}, p.claims(), keyed(p.pem)),
    "HS256 with the raw key": lambda p: raw(
        {"alg": "HS256"}, p.claims(), keyed(p.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    ),
    "HS256 with nothing": lambda p: raw({"alg": "HS256"}, p.claims(), keyed(b"")),
    "ES256": lambda p: jwt.encode(p.claims(), elliptic(SECP256R1()), algorithm="ES256"),
    "RS256": lambda p: jwt.encode(p.claims(), rsa(65537, 2048), algorithm="RS256"),
    "Ed448": lambda p: jwt.encode(p.claims(), Ed448PrivateKey.generate(), algorithm="EdDSA"),
    "somebody else's key": lambda p: Platform().token(**p.claims()),
    "a key that it brings along": _embedded,
    "a critical extension": lambda p: raw({"alg": "EdDSA", "crit": ["exp"]}, p.claims(), p.key.sign),
    "the signature of another": lambda p: p.token().rpartition(".")[0] + "." + p.token(DIETER).rpartition(".")[2],
    "another's claims": lambda p: ".".join(
        [p.token().split(".")[0], p.token(DIETER).split(".")[1], p.token().split(".")[2]]
    ),
    "expired": lambda p: p.token(iat=soon(-8), exp=soon(-2)),
    "not yet": lambda p: p.token(nbf=soon(3)),
    "issued in the future": lambda p: p.token(iat=soon(5), exp=soon(10)),
    "valid for too long": lambda p: p.token(exp=soon(11)),
    "valid for a year": lambda p: p.token(exp=soon(525_600)),
    "expires before it was issued": lambda p: p.token(iat=soon(0.5), exp=soon(0.2)),
    "without exp": lambda p: p.token(exp=None),
    "without iat": lambda p: p.token(iat=None),
    "without jti": lambda p: p.token(jti=None),
    "without sub": lambda p: p.token(sub=None),
    "without aud": lambda p: p.token(aud=None),
    "for another portal": lambda p: p.token(aud="https://elsewhere.example"),
    "for a portal that begins alike": lambda p: p.token(aud=URL + ".elsewhere.example"),
    "for many": lambda p: p.token(aud=[URL, "https://elsewhere.example"]),
    "an empty jti": lambda p: p.token(jti=""),
    "a jti of a megabyte": lambda p: p.token(jti="x" * 3000),
    "a jti that is a number": lambda p: raw({"alg": "EdDSA"}, p.claims(jti=1), p.key.sign),
    "an infinite exp": lambda p: raw({"alg": "EdDSA"}, p.claims(exp=float("inf")), p.key.sign),
    "an exp that is no number": lambda p: raw({"alg": "EdDSA"}, p.claims(exp="soon"), p.key.sign),
    "an exp that is a text": lambda p: raw({"alg": "EdDSA"}, p.claims(exp=str(int(soon(5).timestamp()))), p.key.sign),
    "an iat that is nothing": lambda p: raw({"alg": "EdDSA"}, p.claims() | {"iat": None}, p.key.sign),
    "a sub that is no account": lambda p: p.token("ann"),
    "an empty sub": lambda p: p.token("forum:"),
    "a sub that is a number": lambda p: raw({"alg": "EdDSA"}, p.claims() | {"sub": 7}, p.key.sign),
    "a sub of half a character": lambda p: raw({"alg": "EdDSA"}, p.claims("forum:\ud800"), p.key.sign),
    "claims that are a list": lambda p: raw({"alg": "EdDSA"}, {}, p.key.sign),
    "a very long one": lambda p: p.token(padding="x" * 5000),
    "a link of ours": lambda _: "AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
}


def test_a_forged_token_of_the_platform_is_refused(
    visitor: Visitor, desk: Desk, platform: Platform, subtests: pytest.Subtests
) -> None:
    head = desk.register.log.head()
    for how, forge in FORGED.items():
        with subtests.test(how):
            token = forge(platform)
            page = visitor.get("/en/in", 403, params={"token": token})
            assert page.h1 == "This link does not work"
            for act in ("object", "mine"):
                page = visitor.post("/en/in", {"token": token, "act": act}, 403)
                assert "/en/object" in page.links
            assert desk.register.log.head() == head
            assert not visitor.client.cookies


def test_the_platforms_own_token_is_taken(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    """Without this the refusals above would prove nothing."""
    signed_in(visitor, raw({"alg": "EdDSA"}, platform.claims(), platform.key.sign))
    assert bound(desk, ANN)


@pytest.mark.parametrize(("first", "second"), [("object", "object"), ("object", "mine"), ("mine", "object")])
def test_a_token_acts_once(visitor: Visitor, desk: Desk, platform: Platform, first: str, second: str) -> None:
    token = platform.token()
    signed_in(visitor, token, button=first)
    visitor.client.cookies.clear()
    head = desk.register.log.head()
    page = signed_in(visitor, token, button=second, status=403)
    assert page.h1 == ("We have received your objection" if first == "object" else "This link does not work")
    assert desk.register.log.head() == head
    assert not visitor.client.cookies


def test_another_token_with_a_spent_id_is_refused_too(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    signed_in(visitor, platform.token(ANN, jti="same"))
    signed_in(visitor, platform.token(DIETER, jti="same"), status=403)
    assert not bound(desk, DIETER)


def test_looking_does_not_spend_a_token(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    token = platform.token()
    for _ in range(3):
        visitor.get("/en/in", params={"token": token})
        visitor.client.head("/en/in", params={"token": token})
    signed_in(visitor, token)
    assert bound(desk, ANN)


def test_somebody_elses_token_ends_the_session_before_it(visitor: Visitor, platform: Platform) -> None:
    signed_in(visitor, platform.token(ANN, jti="1"), button="mine")
    assert "The library" in visitor.get("/en/mine").text
    page = signed_in(visitor, platform.token(DIETER, jti="2"), button="mine")
    assert "The library" not in page.text
    assert "Der Markt" in page.text


def test_a_session_is_never_one_that_somebody_chose(visitor: Visitor, desk: Desk, platform: Platform) -> None:
    """Session fixation: the cookie that the visitor brought opens nothing afterwards."""
    planted = "x" * 43
    visitor.client.cookies.set(MEMBER.kind, planted, domain="127.0.0.1")
    answer = visitor.client.post("/en/in", data={"token": platform.token(), "act": "mine"}, follow_redirects=False)
    assert planted not in answer.headers["set-cookie"]
    assert desk.register.sessions.find(planted, MEMBER.kind) is None


def test_a_key_that_is_no_ed25519_public_key_is_an_error_of_the_workspace(workspace: Workspace) -> None:
    path = workspace.root / "platform.pem"
    pem = Ed448PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for content in (pem, b"", b"hello", hashlib.sha256(b"").digest()):
        path.write_bytes(content)
        with pytest.raises(WorkspaceError, match=r"correct portal.platform_key in demur.toml"):
            public_key(path)
    path.unlink()
    with pytest.raises(WorkspaceError, match="is no PEM file"):
        public_key(path)
