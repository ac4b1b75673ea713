"""Objections by many at once: a table with a line for each, or a folder of letters saved as mails.

Invariants: everything is read before anything is recorded, and one line that is wrong keeps all of them from being
recorded; each objection is one transaction with the mark that it was recorded, so that the same list, started again
after it was cut off, records none twice, and nobody who objects elsewhere meanwhile waits for the whole of it. What was
recorded and has ended since is recorded again: it is not for a list to say that somebody no longer objects.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from demur.errors import DemurError, IdentityError, SourceError, nearest
from demur.objecting.called import Called
from demur.objecting.channels import RECORDED, Route
from demur.objecting.eml import MOST_BYTES, read_letter
from demur.objecting.lodging import Written, as_staff_say, take_letter
from demur.objecting.office import Office
from demur.objecting.senders import Doubt
from demur.register import Receipt, Register
from demur.register.members.people import identify
from demur.sources.opened import look

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of a table."""

_COLUMNS: Final = ("account", "channel", "received", "reason", "name", "former", "handle", "link")
_NAMES: Final = _COLUMNS[4:]
"""Columns whose cells may hold several values, with a | between them; they may stand without an account."""
_MARK: Final = "listed."
"""Before a keyed digest of what was said, the register's mark that holds the reference under which it was recorded."""


@dataclass(frozen=True)
class Listed:
    """One objection of a list."""

    place: str
    """Where it stands, for sentences: `line 7`, or a file's name."""
    said: Callable[[], Written] = field(repr=False)
    """Reads it again: a letter may be large."""
    digest: str
    """Of what it says: what tells it from every other one."""
    letter: bool = False
    """Whether it is in somebody's own words, and its sender unproven."""


@dataclass(frozen=True)
class Asked:
    """How all objections of a list are recorded, where the list does not say otherwise."""

    channel: str | None = None
    received: date | None = None
    checked: bool = False
    """Whether staff know that the holders sent them."""
    unconfirmed: bool = False
    """Whether nobody knows yet whose they are."""


@dataclass(frozen=True)
class Recorded:
    """What became of a list."""

    places: Mapping[str, Sequence[str]]
    """The references of what was recorded now, by place."""
    already: int
    """How many were recorded before and bind."""
    first: int | None
    """The number of the first entry."""
    doubts: Mapping[str, Doubt]
    """Why somebody has to look at a letter, by its place."""


def read_many(path: Path, asked: Asked, office: Office, meant: Callable[[str], str]) -> tuple[list[Listed], list[str]]:
    """Read a list; its objections, and a sentence for each that is none.

    Args:
        path: a CSV file with the column account and perhaps others of them, or a folder of .eml files.
        asked: what holds where the list does not say otherwise.
        office: with what, and when.
        meant: makes an account of what somebody wrote for one.

    Raises:
        SourceError: for a file that is no such table, or a folder without letters.
    """
    found = list(_letters(path, asked, office) if path.is_dir() else _lines(path, asked, office, meant))
    return [each for each in found if isinstance(each, Listed)], [each for each in found if isinstance(each, str)]


def record_many(
    register: Register,
    listed: Iterable[Listed],
    asked: Asked,
    office: Office,
    progress: Callable[[int], None] = lambda _: None,
) -> Recorded:
    """Record the objections of a list that are not on record yet, one transaction for each.

    Args:
        register: where.
        listed: what :func:`read_many` read.
        asked: as it was given then.
        office: with what, and when.
        progress: told how many were looked at since it was last told.
    """
    places: dict[str, list[str]] = {}
    doubts: dict[str, Doubt] = {}
    first, already = None, 0
    for each in listed:
        with register.locked():
            if _stands(register, each):
                already += 1
            else:
                receipts, doubt = _take(register, each, asked, office)
                doubts |= {} if doubt is None else {each.place: doubt}
                register.set_state(f"{_MARK}{each.digest}", receipts[0].reference)
                places[each.place] = [receipt.reference for receipt in receipts]
                first = first or receipts[0].seq
        progress(1)
    return Recorded(places, already, first, doubts)


def _take(register: Register, listed: Listed, asked: Asked, office: Office) -> tuple[Sequence[Receipt], Doubt | None]:
    """Record one as if it had come alone; its receipts, and why somebody has to look at it."""
    if listed.letter or asked.checked:
        taken = take_letter(register, listed.said(), office, checked=asked.checked)
        return taken.receipts, taken.doubt
    return [as_staff_say(register, listed.said(), office, unconfirmed=asked.unconfirmed)], None


def _stands(register: Register, listed: Listed) -> bool:
    """Whether an objection was recorded, and binds."""
    reference = register.state(f"{_MARK}{listed.digest}")
    return reference is not None and register.objections.get(reference).binding


# A table


def _lines(path: Path, asked: Asked, office: Office, meant: Callable[[str], str]) -> Iterator[Listed | str]:
    """The lines of a table, or what is wrong with them."""
    text, separator = _text(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 0
    try:
        columns = _columns(path, next(rows, []))
        line = rows.line_num
        for row in rows:
            line, begun = rows.line_num, line + 1
            if any(cell.strip() for cell in row):
                yield _line(f"line {begun}", dict(zip(columns, row, strict=False)), row, asked, office, meant)
    except csv.Error as error:
        raise SourceError(f"{path} line {line + 1} is no CSV ({error}): correct it.") from None


def _line(
    place: str, cells: Mapping[str, str], row: Sequence[str], asked: Asked, office: Office, meant: Callable[[str], str]
) -> Listed | str:
    try:
        if len(row) != len(cells):
            raise SourceError("it has more fields than the first line")
        written = _written({name: cell.strip() for name, cell in cells.items()}, asked, office, meant)
    except (DemurError, ValueError) as error:
        return f"{place}: {str(error).rstrip('.')}."
    words = [*written.accounts, written.channel, str(written.received or ""), written.reason or ""]
    words += ["|".join(some) for some in (written.names, written.former, written.links) if some]
    return Listed(place, lambda: written, _digest(office, "\0".join(words)))


def _written(cells: Mapping[str, str], asked: Asked, office: Office, meant: Callable[[str], str]) -> Written:
    """What a line says.

    Raises:
        IdentityError: for what is no account.
        SourceError: for another cell that does not hold.
    """
    names, former, handles, links = (cells.get(name, "").split("|") for name in _NAMES)
    besides = Called.of(names, former, (*handles, *links), office.policy.accounts.names)
    if not (cells.get("account") or besides):
        raise IdentityError("The column account is empty: write one, like instagram:ann")
    typed = [cells["account"]] if cells.get("account") else []
    accounts = [identify(meant(each), office.policy.accounts.names) for each in typed]
    channel = cells.get("channel") or asked.channel or Route.TICKET
    if channel not in RECORDED:
        raise SourceError(f"{channel!r} is no channel: write {', '.join(RECORDED)}")
    received = _day(cells["received"], office) if cells.get("received") else asked.received
    return Written(
        channel,
        (*accounts, *besides.accounts),
        besides.names,
        received=received,
        reason=cells.get("reason") or None,
        former=besides.former,
        links=besides.links,
    )


def _day(written: str, office: Office) -> date:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        raise SourceError(f"{written!r} is no day: write one like 2026-12-31") from None
    if day > office.now.date() + timedelta(days=1):  # "today" is a day ahead east of Greenwich
        raise SourceError(f"{day} has not come yet")
    return day


def _text(path: Path) -> tuple[str, str]:
    """The text of a table from its line of names on, and what separates its fields.

    Raises:
        SourceError: for one that is too large, in no encoding that says what it is, or of unclear fields.
    """
    text = look(path)
    with text.open() as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise SourceError(f"{path} has more than {LARGEST >> 20} MB: give the list in parts.")
    try:
        decoded = content.decode()
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not in UTF-8: save it as CSV in UTF-8.") from None
    separator, skipped = text.separator(
        None, "separate the fields by one of these, and leave the other out of the names"
    )
    return decoded.split("\n", skipped)[-1], separator


def _columns(path: Path, head: Sequence[str]) -> list[str]:
    """The names of the columns.

    Raises:
        SourceError: where one is unknown or there twice, or there is none of accounts.
    """
    names = [name.strip().lower() for name in head]
    unknown = next((name for name in names if name not in _COLUMNS), None)
    if "account" not in names:
        raise SourceError(f"{path} has no column account: the first line names the columns, {', '.join(_COLUMNS)}.")
    if unknown is not None:
        meant = nearest(unknown, _COLUMNS)
        hint = f"did you mean {meant!r}?" if meant else f"known are {', '.join(_COLUMNS)}."
        raise SourceError(f"{path} has an unknown column {unknown!r}: {hint}")
    if len(set(names)) != len(names):
        raise SourceError(f"{path} has a column twice: name each once.")
    return names


# Letters


def _letters(folder: Path, asked: Asked, office: Office) -> Iterator[Listed | str]:
    """The letters of a folder and of those within it, or what is wrong with them."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".eml" and path.is_file())
    if not paths:
        raise SourceError(f"{folder} holds no .eml file: save the mails as .eml, one a file.")
    for path in paths:
        content = _content(path)
        try:
            _letter(content, asked, office)
        except SourceError as error:
            yield f"{path}: {error}"
        else:
            digest = _digest(office, hashlib.sha256(content).hexdigest())
            yield Listed(str(path), partial(_read_again, path, asked, office), digest, letter=True)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _read_again(path: Path, asked: Asked, office: Office) -> Written:
    return _letter(_content(path), asked, office)


def _letter(content: bytes, asked: Asked, office: Office) -> Written:
    letter = read_letter(content, now=office.now, names=office.policy.accounts.names)
    return replace(Written(asked.channel or Route.MAIL), received=asked.received).with_letter(letter)


def _digest(office: Office, said: str) -> str:
    """What tells an objection from every other one, and tells nobody without the workspace's keys what it says."""
    return office.keys.pepper.item_key(f"listed\0{said}").hex()
