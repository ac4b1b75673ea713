"""A person's copy of what is held of and about them (Art. 15 GDPR): a zip with JSON, a page to read, and pictures.

Invariants: the copy is there whole or not at all, readable by its owner alone (mode 0600), and never inside the
workspace, where an erasure would have to find it; memory grows with the number of pictures, and with nothing else; that
it was given is an entry in the register, with counts and nothing of what it says; an account that nobody knows gets a
copy of the same shape, unless whoever asks may hear that nothing is held. In the page everything that anybody wrote is
escaped; it is in the person's language, has no script, and loads nothing but the pictures beside it.
"""

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Final

import orjson
from jinja2 import Environment, PackageLoader

from demur.corpus.session import Session, reading
from demur.errors import RegisterError, UsageError
from demur.notices.content import name_of
from demur.notices.languages import direction, matching
from demur.notices.templating import environment
from demur.notices.words import languages_of
from demur.objecting.channels import nameless
from demur.policy import Policy
from demur.rights.records import Counted, Held, Rows, held, writable
from demur.rights.where_held import anything_held
from demur.rights.words import Teller
from demur.suppression.signed import aside
from demur.terms import EntryKind
from demur.workspace import Workspace

JSON_NAME: Final = "copy.json"
PAGE_NAME: Final = "copy.html"
_PREFIX: Final = "demur-copy-"


class UnknownPersonError(RegisterError):
    """Nothing is held of or about an account."""


@dataclass(frozen=True)
class Copy:
    """A copy that was written."""

    path: Path
    accounts: int
    """Accounts that are proven to be the person's."""
    claimed: int
    """Further accounts that were only named together with theirs: nothing of these is in it."""
    own: int
    """Rows of the corpus that they wrote."""
    about: int
    """Rows of others that name, quote, pass on or show them."""
    versions: int
    """Published versions that hold rows of either kind."""
    pictures: int
    """Pictures of theirs, or that show them."""
    size: int
    """Bytes."""

    language: str
    """Of the page, one of LANGUAGES."""

    def discard(self) -> None:
        """Removes a copy that was written to a place of its own."""
        self.path.unlink(missing_ok=True)
        if self.path.parent.name.startswith(_PREFIX):
            shutil.rmtree(self.path.parent, ignore_errors=True)


def copy_of(
    workspace: Workspace,
    account: str,
    *,
    to: Path | None = None,
    language: str | None = None,
    known: bool = False,
    now: datetime | None = None,
) -> Copy:
    """Writes the copy for the person who has ``account``.

    Args:
        workspace: where.
        account: one account of theirs, whose holder was made sure of.
        to: the zip, which must not exist; without it a place of its own, to be given back by :meth:`Copy.discard`.
        language: that they read, BCP 47; without one of LANGUAGES, the one on file for them, else the first one of
            the policy's notices. What anybody wrote stays as it was written.
        known: whether something has to be held: for callers who may hear that nothing is.
        now: this moment.

    Raises:
        IdentityError: when the account is malformed.
        UnknownPersonError: when nothing is held and ``known`` asks for something.
        UsageError: when ``to`` is taken, or lies in the workspace.
        CorpusError: when it can't be written, or the corpus was changed meanwhile.
    """
    with reading(workspace, now) as session:
        if known and not anything_held(session, account):
            raise UnknownPersonError(
                f"Nothing is held of or about {account}: compare its spelling, and say so to whoever asks for a copy "
                "(Art. 15(1) GDPR)."
            )
        path = _place(workspace, to)
        person = held(session, account, _language(session, account, language))
        with aside(path) as file:
            counted, versions = _write(file, person, session.policy)
            size = file.stat().st_size
            _record(session, person, counted, versions)
    facts = person.facts
    return Copy(
        path,
        accounts=len(facts["accounts"]),
        claimed=facts["named_together"],
        own=counted.own,
        about=counted.about,
        versions=versions,
        pictures=len(person.pictures.names),
        size=size,
        language=person.language,
    )


def _language(session: Session, account: str, wanted: str | None) -> str:
    """The language of the person's page."""
    on_file = session.register.mails.language_of(session.register.persons.subject(account))
    return matching(wanted) or matching(on_file) or languages_of(session.policy)[0]


def _place(workspace: Workspace, to: Path | None) -> Path:
    if to is None:
        return Path(tempfile.mkdtemp(prefix=_PREFIX)) / "copy.zip"
    if to.exists():
        raise UsageError(f"{to} exists already: name a new file for the copy.")
    if to.resolve().is_relative_to(workspace.root.resolve()):
        raise UsageError(f"{to} lies in the workspace, where an erasure would miss it: name a file elsewhere.")
    return to


def _write(file: Path, person: Held, policy: Policy) -> tuple[Counted, int]:
    """The zip; counts of the corpus's rows, and the versions that hold some."""
    made = person.facts["made"].astimezone(UTC)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with _member(archive, JSON_NAME, made) as part:
            counted, versions = _write_json(part, person)
        with _member(archive, PAGE_NAME, made) as part:
            for text in _page(person, counted, policy):
                part.write(text.encode())
        for name, picture in person.pictures.read():
            with _member(archive, name, made, zipfile.ZIP_STORED) as part:
                part.write(picture)
    return counted, versions


def _member(archive: zipfile.ZipFile, name: str, made: datetime, packing: int = zipfile.ZIP_DEFLATED) -> IO[bytes]:
    info = zipfile.ZipInfo(name, made.timetuple()[:6])
    info.compress_type = packing
    info.external_attr = 0o600 << 16
    return archive.open(info, "w", force_zip64=True)


def _write_json(out: IO[bytes], person: Held) -> tuple[Counted, int]:
    """docs/rights.md describes it."""
    out.write(_json(person.facts)[:-1] + b',"corpus":')
    counted = _write_rows(out, person.corpus, b"{")
    out.write(b',"versions":[')
    holding = 0
    for number, version in enumerate(person.versions):
        facts = {"name": version.name, "published": version.published, "exports": version.exports}
        found = _write_rows(out, version.rows, (b"," if number else b"") + _json(facts)[:-1] + b",")
        holding += bool(found.own or found.about)
    out.write(b"]}\n")
    return counted, holding


def _write_rows(out: IO[bytes], rows: Rows, head: bytes) -> Counted:
    """The members `rows`, `own` and `about` of an object that ``head`` begins."""
    counted = Counted()
    out.write(head + b'"rows":[')
    for piece in _joined(_json(row) for row in rows.read(counted)):
        out.write(piece)
    out.write(b'],"own":%d,"about":%d}' % (counted.own, counted.about))
    return counted


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        yield b",\n" + piece if number else piece


def _json(value: object) -> bytes:
    return orjson.dumps(value, default=writable)


def _record(session: Session, person: Held, counted: Counted, versions: int) -> None:
    pictures = len(person.pictures.names)
    payload = {
        "accounts": len(person.corpus.keys),
        "own": counted.own,
        "about": counted.about,
        "versions": versions,
        **({"pictures": pictures} if pictures else {}),
    }
    session.register.log.append(EntryKind.COPY_GIVEN, payload, subjects=person.corpus.keys, now=session.now)


def _page(person: Held, counted: Counted, policy: Policy) -> Iterator[str]:
    """The page for people, in pieces; ``counted`` are the rows of the corpus, streamed through the template."""
    template = _environment().get_template("copy.html")
    yield from template.generate(
        language=person.language,
        direction=direction(person.language),
        tell=Teller(person.language, policy.accounts.profiles),
        controller=name_of(policy),
        facts=person.facts,
        corpus=person.corpus,
        versions=person.versions,
        counted=counted,
        nameless=nameless,
    )


@cache
def _environment() -> Environment:
    return environment(PackageLoader("demur.rights"))
