"""Connections that are protected as the policy says, or not used: mails by SMTP and messages to the platform.

A certificate is the server's own if this machine trusts whoever signed it, it names the host, and it has not expired.
Whatever is wrong, nothing crosses the connection, nobody's mail fails, and the log says what to look at.
"""

import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal, NoReturn

import pytest
from endpoint import Platform, listening
from mailing import Made, deliver, mail_policy, statuses
from postbox import PASSWORD, USER, Manners, Postbox, authenticator, bad_server, certificate, server

from demur.terms import NoticeStatus
from demur.worker.platform_lanes import MARK, Events
from demur.worker.smtp import Timeouts

PATIENT: Final = Timeouts(greeting=15, command=15, end=15)

Security = Literal["starttls", "tls"]
Certified = Callable[..., ssl.SSLContext]
"""Makes a server's certificate, as postbox.certificate, which this machine trusts unless told otherwise."""
BOTH: Final = pytest.mark.parametrize("security", ["starttls", "tls"])
WRONG: Final = pytest.mark.parametrize(
    "wrong", [{"trusted": False}, {"host": "127.0.0.2"}, {"days": -1}], ids=["unknown", "of another", "expired"]
)

AUTH: Final = pytest.mark.filterwarnings("ignore:Requiring AUTH")  # aiosmtpd does not count TLS from the first byte on


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certified:
    """As an administrator does it: the authority's certificate is a file that SSL_CERT_FILE names."""

    def make(*, trusted: bool = True, **said: Any) -> ssl.SSLContext:  # noqa: ANN401  # of postbox.certificate
        authority, context = certificate(tmp_path, **said)
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        return context

    return make


@pytest.fixture
def causes(caplog: pytest.LogCaptureFixture) -> Callable[[], set[str]]:
    """Why the log says that nothing could be sent."""
    caplog.set_level("INFO", "demur.worker")

    def read() -> set[str]:
        lines = [json.loads(record.message) for record in caplog.records if record.name == "demur.worker"]
        return {line["cause"] for line in lines if line["event"].endswith(".closed")}

    return read


@pytest.fixture
def ipv6(missing: Callable[[str], NoReturn]) -> str:
    """This machine's own address."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        missing("IPv6 on its loopback interface")
    return "::1"


def under(security: Security, context: ssl.SSLContext) -> dict[str, Any]:
    """What makes a server of the tests speak like this."""
    return {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}


def asking_for_a_password(security: Security) -> dict[str, Any]:
    """What makes it take mails from USER alone."""
    return {"authenticator": authenticator, "auth_required": True, "auth_require_tls": security == "starttls"}


# Mails


@BOTH
def test_mails_go_out_under_tls(made: Made, certified: Certified, security: Security) -> None:
    box = Postbox()
    with server(box, **under(security, certified())) as place:
        assert deliver(made(mail_policy(place, security=security), 3), timeouts=PATIENT) == {"sent": 3}
    assert len(box.mails) == 3


@AUTH
@BOTH
def test_a_password_opens_the_server(
    made: Made, certified: Certified, security: Security, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMUR_SMTP_PASSWORD", PASSWORD)
    with server(Postbox(), **under(security, certified()), **asking_for_a_password(security)) as place:
        assert deliver(made(mail_policy(place, security=security, user=USER), 3), timeouts=PATIENT) == {"sent": 3}


@AUTH
@BOTH
def test_a_wrong_password_costs_no_notice(
    made: Made,
    certified: Certified,
    security: Security,
    monkeypatch: pytest.MonkeyPatch,
    causes: Callable[[], set[str]],
) -> None:
    monkeypatch.setenv("DEMUR_SMTP_PASSWORD", "another")
    with server(Postbox(), **under(security, certified()), **asking_for_a_password(security)) as place:
        office = made(mail_policy(place, security=security, user=USER), 3)
        assert deliver(office, timeouts=PATIENT).keys() == {"closed"}
    assert statuses(office) == {NoticeStatus.QUEUED: 3}
    assert causes() == {"sign-in refused 535"}


def test_a_server_that_wants_no_password_gets_no_mail_where_one_is_set(
    made: Made, causes: Callable[[], set[str]]
) -> None:
    box = Postbox()
    with server(box) as place:
        assert deliver(made(mail_policy(place, user=USER), 3), timeouts=PATIENT).keys() == {"closed"}
    assert not box.mails
    assert causes() == {"no sign-in offered"}


@WRONG
@BOTH
def test_nothing_goes_to_a_server_whose_certificate_is_not_its_own(
    made: Made, certified: Certified, security: Security, wrong: dict[str, Any], causes: Callable[[], set[str]]
) -> None:
    box = Postbox()
    with server(box, **under(security, certified(**wrong))) as place:
        office = made(mail_policy(place, security=security), 3)
        assert deliver(office, timeouts=PATIENT).keys() == {"closed"}
    assert not box.mails
    assert statuses(office) == {NoticeStatus.QUEUED: 3}
    assert causes() == {"certificate not valid"}


@BOTH
def test_nothing_goes_in_the_clear_where_tls_is_asked_for(
    made: Made, security: Security, causes: Callable[[], set[str]]
) -> None:
    box = Postbox()
    with server(box) as place:
        assert deliver(made(mail_policy(place, security=security), 3), timeouts=PATIENT).keys() == {"closed"}
    assert not box.mails
    assert causes() == {"no starttls offered" if security == "starttls" else "tls failed"}


def test_nothing_goes_in_the_clear_where_tls_is_offered_and_refused(made: Made) -> None:
    manners = Manners(starttls="454 4.7.0 not now")
    with bad_server(manners) as place:
        assert deliver(made(mail_policy(place, security="starttls"), 3), timeouts=PATIENT).keys() == {"closed"}
    assert not manners.mails


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_mails_go_to_an_ipv6_address(made: Made, certified: Certified, ipv6: str, security: Any) -> None:  # noqa: ANN401  # of the policy
    box = Postbox()
    options = {} if security == "none" else under(security, certified(host=ipv6))
    with server(box, ipv6, **options) as place:
        assert place.startswith("[::1]:")
        assert deliver(made(mail_policy(place, security=security), 3), timeouts=PATIENT) == {"sent": 3}
    assert len(box.mails) == 3


# Messages to the platform


def test_a_message_goes_out_under_tls(made: Made, certified: Certified) -> None:
    platform = Platform()
    with listening(platform, tls=certified()) as url:
        office = made(mail_policy(hook=url))
        office.register.objections.lodge(["forum:ann"], channel="form")
        Events(office).turn()
    assert url.startswith("https://")
    assert [body["type"] for body in platform.bodies] == ["objection.lodged"]


@WRONG
def test_no_message_goes_to_an_endpoint_whose_certificate_is_not_its_own(
    made: Made, certified: Certified, wrong: dict[str, Any], causes: Callable[[], set[str]]
) -> None:
    platform = Platform()
    with listening(platform, tls=certified(**wrong)) as url:
        office = made(mail_policy(hook=url))
        office.register.objections.lodge(["forum:ann"], channel="form")
        assert Events(office).turn() >= 1, "it rests"
    assert not platform.got
    assert int(office.register.state(MARK) or 0) < office.register.log.head().seq, "it is told later"
    assert causes() == {"certificate not valid"}


def test_no_message_goes_in_the_clear_where_https_is_asked_for(made: Made, causes: Callable[[], set[str]]) -> None:
    platform = Platform()
    with listening(platform) as url:
        office = made(mail_policy(hook=url.replace("http:", "https:")))
        office.register.objections.lodge(["forum:ann"], channel="form")
        Events(office).turn()
    assert not platform.got
    assert causes() == {"tls failed"}


def test_a_message_goes_to_an_ipv6_address(made: Made, certified: Certified, ipv6: str) -> None:
    platform = Platform()
    with listening(platform, ipv6, certified(host=ipv6)) as url:
        office = made(mail_policy(hook=url))
        office.register.objections.lodge(["forum:ann"], channel="form")
        Events(office).turn()
    (headers, _) = platform.got[0]
    assert headers["host"] == url.removeprefix("https://").removesuffix("/hook")
