"""Which witnesses a controller asks, and which a verifier wants to have cosigned: a file (C2SP tlog-policy).

Invariants: a file is read strictly, as one that two parties read in two ways is two policies; each witness counts in
one way only, as a name is in one group at most and no key has two names; no name is used before it is defined.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar
from urllib.parse import urlsplit

from demur.errors import UsageError
from demur.transparency.cosignature import WitnessKey
from demur.transparency.note import NoteKey

K = TypeVar("K", bound=NoteKey)
NONE: Final = "none"
_MOST_BYTES: Final = 1 << 16
_TAB, _LINE, _SPACE, _DELETE = 0x09, 0x0A, 0x20, 0x7F


@dataclass(frozen=True)
class Named:
    """A witness of a policy."""

    name: str
    """In the policy alone."""
    key: WitnessKey
    url: str = ""
    """Where it is asked: what `add-checkpoint` is put behind; "" where only its signature is checked."""


@dataclass(frozen=True)
class _Group:
    wanted: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class WitnessPolicy:
    """Logs, witnesses, and how many of these it takes."""

    logs: tuple[NoteKey, ...]
    witnesses: tuple[Named, ...]
    quorum: str
    """A witness, a group, or :data:`NONE`."""
    groups: Mapping[str, _Group] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """The policy in a file.

        Raises:
            UsageError: when it is none; the sentence names the line.
        """
        if len(raw) > _MOST_BYTES or any(
            (byte < _SPACE and byte not in {_TAB, _LINE}) or byte == _DELETE for byte in raw
        ):
            raise UsageError("The policy of witnesses is too large, or has a control character: write it anew.")
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise UsageError("The policy of witnesses is not in UTF-8: write it anew.") from None
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), 1):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            if words and not words[0].startswith("#"):
                try:
                    reading.take(words)
                except _WrongError as wrong:
                    raise UsageError(f"Line {number} of the policy of witnesses {wrong}: correct it.") from None
        if reading.quorum is None:
            raise UsageError('The policy of witnesses has no line that begins with "quorum": add "quorum NAME".')
        return cls(tuple(reading.logs), tuple(reading.witnesses), reading.quorum, reading.groups)

    def is_met(self, cosigned: Collection[WitnessKey]) -> bool:
        """Whether the witnesses that cosigned a checkpoint are enough."""
        met = {each.name: each.key in cosigned for each in self.witnesses}
        for name, group in self.groups.items():  # as in the file, where members stand before their group
            met[name] = sum(met[member] for member in group.members) >= group.wanted
        return self.quorum == NONE or met[self.quorum]


class _WrongError(Exception):
    """What a line does that it must not."""


class _Reading:
    """What the lines so far say."""

    def __init__(self) -> None:
        self.logs = list[NoteKey]()
        self.witnesses = list[Named]()
        self.groups = dict[str, _Group]()
        self.quorum: str | None = None
        self._grouped = set[str]()

    def take(self, words: list[str]) -> None:
        """Take a line that says something."""
        match words:
            case ["log", key] | ["log", key, _]:
                self._log(key)
            case ["witness", name, key]:
                self._witness(name, key, "")
            case ["witness", name, key, url]:
                self._witness(name, key, url)
            case ["group", name, wanted, first, *rest]:
                self._group(name, wanted, (first, *rest))
            case ["quorum", name]:
                if self.quorum is not None:
                    raise _WrongError("is a second quorum")
                self.quorum = name if name == NONE else self._known(name)
            case _:
                raise _WrongError("is none of log, witness, group and quorum, or has too few or too many words")

    def _log(self, text: str) -> None:
        key = _key(NoteKey, text, "a log")
        if any(each.public == key.public for each in self.logs):
            raise _WrongError("has the key of another log")
        self.logs.append(key)

    def _witness(self, name: str, text: str, url: str) -> None:
        self._require_new(name)
        key = _key(WitnessKey, text, "a witness")
        if any(each.key.public == key.public for each in self.witnesses):
            raise _WrongError("has the key of another witness, which would count twice")
        if url and (urlsplit(url).scheme not in {"http", "https"} or not _host(url)):
            raise _WrongError("has no address of the web where it shall be asked")
        self.witnesses.append(Named(name, key, url.rstrip("/")))

    def _group(self, name: str, wanted: str, members: tuple[str, ...]) -> None:
        self._require_new(name)
        for member in members:
            self._known(member)
            if member in self._grouped:
                raise _WrongError(f"puts {member} into a group again, so that it would count twice")
            self._grouped.add(member)
        said = {"all": len(members), "any": 1}.get(wanted)
        count = int(wanted) if said is None and wanted.isascii() and wanted.isdecimal() and len(wanted) < 9 else said  # noqa: PLR2004  # digits
        if count is None or not 1 <= count <= len(members) or wanted[0] == "0":
            raise _WrongError(f"asks for {wanted} of {len(members)}: write all, any, or a number up to that")
        self.groups[name] = _Group(count, members)

    def _require_new(self, name: str) -> None:
        if name == NONE or name in self.groups or any(each.name == name for each in self.witnesses):
            raise _WrongError(f"gives the name {name}, which is taken")

    def _known(self, name: str) -> str:
        if name not in self.groups and all(each.name != name for each in self.witnesses):
            raise _WrongError(f"names {name}, which no line before it defines")
        return name


def _key(kind: type[K], text: str, of: str) -> K:
    try:
        return kind.read(text)
    except UsageError:
        raise _WrongError(f"has no Ed25519 key of {of}") from None


def _host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and urlsplit(url).port != 0
    except ValueError:
        return False
