"""Whether mail tells people: not where it would end in the outbox while others reach the portal (law 4)."""

import pytest

from demur.notices.campaign import channels_of, unmailed
from demur.notices.lacking import lacks
from demur.policy import Mail, Policy, Portal
from demur.terms import Channel


@pytest.mark.parametrize(
    ("url", "reaches"),
    [
        ("http://127.0.0.1:8470", False),
        ("http://[::1]:8470", False),
        ("http://LocalHost", False),
        ("http://portal.localhost:80", False),
        ("https://example.org", False),
        ("https://object.EXAMPLE.com.", False),
        ("https://object.harbour.test", False),
        ("https://object.harbour.invalid", False),
        ("https://object.harbour-commons.eu", True),
        ("https://example.org.harbour-commons.eu", True),
        ("https://notexample.org", True),
        ("https://test.eu", True),
        ("https://10.0.0.7", True),
        ("https://[2001:db8::1]:8443", True),
    ],
)
def test_mail_is_no_way_where_others_reach_the_portal_and_no_mail_leaves(
    policy: Policy, url: str, *, reaches: bool
) -> None:
    here = policy.model_copy(update={"portal": Portal(url=url), "mail": Mail()})
    assert (channels_of(here) == ()) == reaches
    assert (unmailed(here) is not None) == reaches
    in_app = here.model_copy(update={"notice": here.notice.model_copy(update={"in_app": "webhook"})})
    assert channels_of(in_app) == ((Channel.IN_APP,) if reaches else (Channel.MAIL, Channel.IN_APP))
    assert lacks(in_app) == []
    sent = here.model_copy(update={"mail": Mail(server="smtp.harbour.example:587")})
    assert channels_of(sent) == (Channel.MAIL,)
    assert unmailed(sent) is None
