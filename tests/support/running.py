"""The town's portal as it runs: `demur serve` and its worker in processes of their own, mails as files in the outbox.

All people are invented. Everybody got a notice by the campaign "spring" before the portal opened, as its link says.
"""
# ruff: noqa: RUF001  # Greek letters are meant

import io
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pyarrow as pa
from making import batch, item, span
from town import town_policy
from ways import Platform

from demur.cli import run
from demur.corpus.importing import import_items
from demur.notices.lacking import lacks
from demur.policy import Notice, Portal, Wording
from demur.register.members.rows import MEMBER
from demur.workspace import Workspace, create, find

LANGUAGES: Final = ("en", "de", "pl", "mt")
"""What every route is walked in."""
READ: Final = (*LANGUAGES, "el")
"""What members read."""

_REGIONS: Final = {"en": "IE", "de": "DE", "pl": "PL", "mt": "MT", "el": "GR"}
_NAMES: Final = {"en": "Ann Archer", "de": "Dieter Dachs", "pl": "Ewa Ekel", "mt": "Karmenu Kamra", "el": "Εύα Ελάτη"}
_POSTS: Final = {
    "en": "The library opens at nine.",
    "de": "Der Markt ist heute auf dem Platz.",
    "pl": "Jutro piekarnia ma chleb żytni.",
    "mt": "Il-festa hija l-Ħadd.",
    "el": "Το φεστιβάλ είναι την Κυριακή.",
}
_WORDS: Final = {
    "en": Wording(
        purpose="We train an assistant that answers questions about the town.",
        interests="An assistant that knows the town, for everybody who lives there.",
        recipients="Nobody but us.",
        transfers="None.",
        storage="For as long as the assistant is in use.",
        source="Public posts on this forum.",
    ),
    "de": Wording(
        purpose_name="Training eines Assistenten für die Stadt",
        purpose="Wir trainieren einen Assistenten, der Fragen zur Stadt beantwortet.",
        interests="Ein Assistent, der die Stadt kennt, für alle, die hier leben.",
        recipients="Niemand außer uns.",
        transfers="Keine.",
        storage="Solange der Assistent in Gebrauch ist.",
        source="Öffentliche Beiträge in diesem Forum.",
    ),
    "pl": Wording(
        purpose_name="Trenowanie asystenta miejskiego",
        purpose="Trenujemy asystenta, który odpowiada na pytania o mieście.",
        interests="Asystent, który zna miasto, dla wszystkich mieszkańców.",
        recipients="Nikt poza nami.",
        transfers="Brak.",
        storage="Tak długo, jak asystent jest w użyciu.",
        source="Publiczne wpisy na tym forum.",
    ),
    "mt": Wording(
        purpose_name="Taħriġ ta' assistent għall-belt",
        purpose="Qed inħarrġu assistent li jwieġeb mistoqsijiet dwar il-belt.",
        interests="Assistent li jaf il-belt, għal kull min jgħix hawn.",
        recipients="Ħadd ħlief aħna.",
        transfers="Xejn.",
        storage="Sakemm l-assistent jibqa' jintuża.",
        source="Posts pubbliċi f'dan il-forum.",
    ),
    "el": Wording(
        purpose_name="Εκπαίδευση ενός βοηθού για την πόλη",
        purpose="Εκπαιδεύουμε έναν βοηθό που απαντά σε ερωτήσεις για την πόλη.",
        interests="Ένας βοηθός που γνωρίζει την πόλη, για όλους όσοι ζουν εδώ.",
        recipients="Κανείς εκτός από εμάς.",
        transfers="Καμία.",
        storage="Για όσο χρησιμοποιείται ο βοηθός.",
        source="Δημόσιες αναρτήσεις σε αυτό το φόρουμ.",
    ),
}
_START_S: Final = 120
_LINK: Final = re.compile(r"https?://[^\s<>]+")


@dataclass(frozen=True)
class Person:
    """A member, who knows their own account and reads their own mail."""

    account: str
    handle: str
    mail: str
    language: str


@dataclass(frozen=True)
class Mail:
    """A mail that was handed over."""

    subject: str
    language: str
    text: str
    handed_over: float
    """When, in seconds since 1970."""

    def link(self, kind: str) -> str:
        """The link to a page of a kind: ``o``, ``confirm``, ``receipt`` or ``mine``."""
        found = [each for each in _LINK.findall(self.text) if f"/{kind}/" in urlsplit(each).path]
        assert found, f"no link to /{kind}/ in\n{self.text}"
        return str(found[0])


@dataclass
class Site:
    """The portal, open to visitors."""

    workspace: Workspace
    url: str
    platform: Platform = field(default_factory=Platform)
    _seen: set[str] = field(default_factory=set)
    _mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))
    _next: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _tokens: int = 0

    def person(self, language: str) -> Person:
        """Somebody who has not objected yet."""
        self._next[language] += 1
        return person(language, self._next[language])

    def token(self, who: Person, **changes: Any) -> str:  # noqa: ANN401  # claims
        """The platform's word that somebody is signed in."""
        self._tokens += 1
        return self.platform.token(who.account, **({"aud": self.url, "jti": f"t{self._tokens}"} | changes))

    def mails(self, address: str) -> list[Mail]:
        """The mails that somebody has, oldest first."""
        for path in sorted(self.workspace.outbox_path.glob("*.eml"), key=lambda each: each.stat().st_mtime_ns):
            if path.name not in self._seen:
                self._seen.add(path.name)
                to, mail = _read(path)
                self._mails[to].append(mail)
        return self._mails[address]

    def mail(self, address: str, kind: str, patience: float = 30.0) -> Mail:
        """The newest mail to an address that links to a page of a kind; waits until there is one."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            found = [each for each in self.mails(address) if f"/{kind}/" in each.text]
            if found:
                return found[-1]
            time.sleep(0.02)
        raise AssertionError(f"no mail with a link to /{kind}/ came to {address} within {patience} s")


def person(language: str, number: int) -> Person:
    handle = f"{language}{number}"
    return Person(f"forum:{handle}", handle, f"{handle}@town.example", language)


@contextmanager
def running(root: Path, people: int = 40) -> Iterator[Site]:
    """Found the town, tell everybody, and open its portal.

    Args:
        root: the folder of the workspace, which must not be there yet.
        people: members for each language.
    """
    port = _free_port()
    site = Site(_found(root, f"http://localhost:{port}", people), f"http://localhost:{port}")
    site.platform.known_to(site.workspace)
    for before in (["notice", "send", "spring"], ["worker", "--once"]):
        assert run([*before, "-w", str(root)]) == 0
    command = [sys.executable, "-m", "demur", "serve", "-w", str(root), "--port", str(port), "--json"]
    with (root.parent / "serve.log").open("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line, (root.parent / "serve.log").read_text()
            assert urlsplit(json.loads(line)["url"]).port == port
            yield site
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def invited(site: Site, name: str, role: str) -> str:
    """The one-time link by which somebody of the staff joins."""
    told = io.StringIO()
    with redirect_stdout(told):
        assert run(["staff", "invite", name, "--role", role, "-w", str(site.workspace.root)]) == 0
    return str(_LINK.findall(told.getvalue())[0])


def _found(root: Path, url: str, people: int) -> Workspace:
    notice = Notice(required=False, languages=READ, wording=_WORDS)
    decided = town_policy(notice=notice, portal=Portal(url=url, namespace="forum"))
    decided = decided.model_copy(update={"purpose": decided.purpose.model_copy(update={"description": ""})})
    assert not lacks(decided)
    create(root, decided)
    workspace = find(root)
    everybody = [person(language, number) for language in READ for number in range(1, people + 1)]
    with workspace.register() as register:
        rows = [_member(each) for each in everybody]
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)])
    import_items(workspace, "forum", [batch(post for each in everybody for post in _posts(each))])
    return workspace


def _member(who: Person) -> Mapping[str, object]:
    return {
        "account": who.account,
        "names": [_NAMES[who.language]],
        "locale": who.language,
        "region": _REGIONS[who.language],
        "mail": who.mail,
        "mail_verified": True,
    }


def _posts(who: Person) -> Iterator[Mapping[str, Any]]:
    """One of their own, and one about them."""
    yield item(f"{who.handle}-1", who.account, _POSTS[who.language])
    text = f"@{who.handle} <b>?</b>"
    yield item(f"{who.handle}-2", "forum:clerk", text, spans=[span(0, len(who.handle) + 1, "mention", who.account)])


def _read(path: Path) -> tuple[str, Mail]:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain",))
    assert body is not None
    said = Mail(
        str(message["Subject"]), str(message["Content-Language"]), body.get_content(), path.stat().st_mtime_ns / 1e9
    )
    return str(message["To"]), said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
