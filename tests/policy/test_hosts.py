"""Hosts and ports in demur.toml: what a connection can be made to is taken, and nothing else."""

import pytest
from pydantic import ValidationError

from demur.policy import Mail, Portal, Webhooks
from demur.worker.smtp import address

LONG = "[2001:db8:0:0:0:0:0:1]"


@pytest.mark.parametrize(
    ("server", "read"),
    [
        ("smtp.example.org:587", ("smtp.example.org", 587)),
        ("127.0.0.1:25", ("127.0.0.1", 25)),
        ("[::1]:2525", ("::1", 2525)),
        (f"{LONG}:65535", (LONG.strip("[]"), 65535)),
    ],
)
def test_a_mail_server_is_a_host_or_an_address_and_a_port(server: str, read: tuple[str, int]) -> None:
    assert address(Mail(server=server).server) == read


@pytest.mark.parametrize(
    "server",
    [
        "smtp.example.org",
        "smtp.example.org:",
        "smtp.example.org:0",
        "smtp.example.org:65536",
        "smtp://smtp.example.org:25",
        "ann@smtp.example.org:25",
        "::1:25",
        "[::1]",
        "[::1]:0",
        "[127.0.0.1]:25",
        "[smtp.example.org]:25",
        "[::1:25",
    ],
)
def test_what_is_no_mail_server_is_told(server: str) -> None:
    with pytest.raises(ValidationError, match="is no mail server: write one like"):
        Mail(server=server)


@pytest.mark.parametrize("host", ["object.example.org", "object.example.org:8443", "127.0.0.1:8470", "[::1]:8470"])
def test_a_site_may_have_any_address(host: str) -> None:
    assert Portal(url=f"https://{host}").url == f"https://{host}"
    assert Webhooks(url=f"https://{host}/hook").url == f"https://{host}/hook"


@pytest.mark.parametrize("host", ["[::1", "[object]", "object.example.org:0", "object.example.org:99999", ":8470"])
def test_an_address_that_leads_nowhere_is_told(host: str) -> None:
    with pytest.raises(ValidationError, match="is no address of a site"):
        Portal(url=f"https://{host}")
    with pytest.raises(ValidationError, match="is no web address"):
        Webhooks(url=f"https://{host}/hook")
