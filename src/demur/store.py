"""Places where the corpus may lie: a path on this machine's disk, or an object of S3, Google Cloud Storage or Azure.

Invariants: a place in a store never knows a credential: Lance and obstore, which have the same client below them, take
these from the environment or from the machine's role; what a store answers is told by its kind alone, because answers
repeat keys and signatures. obstore is imported by what asks a store, as Lance is by what opens a dataset.
"""

import io
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from demur.errors import UnavailableError, UsageError
from demur.extras import lacking

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

URL: Final = re.compile(r"(?P<scheme>s3|gs|az)://(?P<bucket>[^/\s?#@:]+)(?P<path>(?:/[^\s?#]*)?)")
"""A place in a store: no user, no password, no query, which is where credentials would stand."""

_BLOCK: Final = 8 << 20
_CODE: Final = re.compile(r"<Code>(\w{3,60})</Code>|status code: (\d{3}(?: [A-Z][a-z]+){0,3})")
_SILENT: Final = re.compile(r"timed out|timeout|connect|error sending request|dns error", re.IGNORECASE)
_OF_A_STORE: Final = re.compile(
    r"object.?store|status code|Error performing|Generic (S3|GCS|MicrosoftAzure)|LanceError"
)


class Stat(NamedTuple):
    """What a store says of an object."""

    st_size: int
    """Bytes."""
    tag: str
    """Changes whenever the object is written."""


@dataclass(frozen=True)
class Stored:
    """An object in a store, or all those whose names begin so: what is needed here of a :class:`pathlib.Path`."""

    url: str
    """``s3://bucket/a/b``, without a slash at its end."""
    endpoint: str = ""
    """Where the store is asked; "" for where its vendor has it."""
    region: str = ""
    """Of an S3 bucket; "" for what the environment says."""
    home: Path | None = None
    """The folder of the workspace whose corpus lies here: it keeps what is known of that one's index files."""
    _known: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The client, shared by all places of one bucket."""

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> "Stored":
        return Stored(f"{self.url}/{name}", self.endpoint, self.region, self.home, self._known)

    def __reduce__(self) -> tuple[type["Stored"], tuple[str, str, str, Path | None]]:
        return Stored, (self.url, self.endpoint, self.region, self.home)  # a client does not travel between processes

    @property
    def name(self) -> str:
        """Behind the last slash."""
        return PurePosixPath(self._key).name

    @property
    def options(self) -> dict[str, str]:
        """Lance's storage options; no credential is among them."""
        scheme = self.url.partition(":")[0]
        found = {"allow_http": "true"} if self.endpoint.startswith("http://") else {}
        if scheme == "s3":
            found |= {"aws_endpoint": self.endpoint} if self.endpoint else {}
            found |= {"aws_region": self.region} if self.region else {}
        elif scheme == "az" and self.endpoint:
            found["azure_storage_endpoint"] = self.endpoint
        return found

    # reading

    def exists(self) -> bool:
        """Whether there is such an object, or one whose name begins with this and a slash."""
        return self.is_file() or next(self.objects(), None) is not None

    def is_file(self) -> bool:
        """Whether there is such an object."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True

    def is_symlink(self) -> bool:
        """A store has no links."""
        return False

    def stat(self) -> Stat:
        """What the store says of the object.

        Raises:
            FileNotFoundError: when there is none.
        """
        with self._asked() as (obstore, client):
            return _stat(obstore.head(client, self._key))

    def objects(self) -> Iterator[tuple[str, Stat]]:
        """The objects below this, each by its name relative to it."""
        with self._asked() as (obstore, client):
            for chunk in obstore.list(client, prefix=self._key or None):
                for each in chunk:
                    yield PurePosixPath(each["path"]).relative_to(self._key).as_posix(), _stat(each)

    def read_bytes(self) -> bytes:
        """The object.

        Raises:
            FileNotFoundError: when there is none.
        """
        with self._asked() as (obstore, client):
            return bytes(obstore.get(client, self._key).bytes())

    def open(self, _mode: str = "rb") -> io.BufferedReader:
        """The object as a file that can be read, and moved about in.

        Raises:
            FileNotFoundError: when there is none.
        """
        return io.BufferedReader(_Reading(self), _BLOCK)

    def fetch(self, path: Path) -> None:
        """Writes the object to a file that is not there yet."""
        with self.open() as source, path.open("xb") as target:
            shutil.copyfileobj(source, target, _BLOCK)

    # writing

    def write_bytes(self, data: bytes) -> None:
        """Puts an object here, in the place of one that stands here."""
        with self._asked() as (obstore, client):
            obstore.put(client, self._key, data)

    def create(self, data: bytes) -> bool:
        """Puts an object here if there is none; whether it did (``If-None-Match: *``, RFC 9110, section 13.1.2)."""
        with self._asked() as (obstore, client):
            try:
                obstore.put(client, self._key, data, mode="create")
            except obstore.exceptions.AlreadyExistsError:
                return False
            return True

    def send(self, path: Path) -> None:
        """Puts a file here, in parts."""
        with self._asked() as (obstore, client):
            obstore.put(client, self._key, path)

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Deletes the object.

        Raises:
            FileNotFoundError: when there is none, and that matters.
        """
        if not missing_ok:
            self.stat()
        with self._asked() as (obstore, client):
            try:
                obstore.delete(client, self._key)
            except FileNotFoundError:
                return

    def remove_all(self) -> None:
        """Deletes every object below this."""
        for name, _ in list(self.objects()):
            (self / name).unlink(missing_ok=True)

    def keeps_versions(self) -> bool:
        """Whether the bucket keeps what is deleted or replaced, as far as this object, which is there, tells it."""
        with self._asked() as (obstore, client):
            return obstore.head(client, self._key).get("version") not in {None, "null"}

    @property
    def _key(self) -> str:
        match = URL.fullmatch(self.url)
        assert match  # see place()
        return match["path"].strip("/")

    @contextmanager
    def _asked(self) -> Iterator[tuple[Any, Any]]:
        """obstore, and a client of this bucket; a refusal is told in a sentence.

        Raises:
            UnavailableError: when the store refuses, or does not answer.
            FileNotFoundError: when what is asked for is not there.
        """
        obstore = _obstore()
        try:
            if "client" not in self._known:
                match = URL.fullmatch(self.url)
                assert match  # see place()
                plain = "allow_http" in self.options
                config = {key: value for key, value in self.options.items() if key != "allow_http"}
                root = f"{match['scheme']}://{match['bucket']}"
                options = {"client_options": {"allow_http": True}} if plain else {}
                self._known["client"] = obstore.store.from_url(root, config=config, **options)
            yield obstore, self._known["client"]
        except FileNotFoundError:
            raise FileNotFoundError(2, "No such object", self.url) from None
        except obstore.exceptions.BaseError as error:
            raise UnavailableError(sentence(self, error)) from None


Place = Path | Stored


class _Reading(io.RawIOBase):
    """An object as it is read, block by block."""

    def __init__(self, place: Stored) -> None:
        self._place = place
        with place._asked() as (obstore, client):  # noqa: SLF001  # one class with it
            self._file = obstore.open_reader(client, place._key, buffer_size=_BLOCK)  # noqa: SLF001  # the same

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        with self._place._asked():  # noqa: SLF001  # the same
            data = memoryview(self._file.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())


def is_url(text: str) -> bool:
    """Whether a text means something in a store, well spelt or not."""
    return text.partition("://")[0] in {"s3", "gs", "az"} and "://" in text


def place(url: str, endpoint: str = "", region: str = "", home: Path | None = None) -> Stored:
    """A place in a store; see :class:`Stored`.

    Raises:
        UsageError: when the URL is none, or holds more than a place; it is not repeated then.
    """
    if not URL.fullmatch(url):
        raise UsageError(
            "A place in an object store is written s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH, without "
            "user, password and query: credentials come from the environment."
        )
    return Stored(url.rstrip("/"), endpoint, region, home)


def remove(where: Place) -> None:
    """Deletes a folder, or everything below a place in a store."""
    if isinstance(where, Stored):
        where.remove_all()
    else:
        shutil.rmtree(where)


def options_of(where: object) -> dict[str, str] | None:
    """Lance's storage options for a place; None on a disk."""
    return where.options if isinstance(where, Stored) else None


def sentence(where: Stored, error: BaseException) -> str:
    """What a store answered, in one sentence, without a word of what may hold a key."""
    found = _CODE.search(str(error))
    if found is not None:
        reason = f"answered {found[1] or found[2]}"
    elif _SILENT.search(str(error)):
        reason = "does not answer"
    else:
        reason = f"refused ({type(error).__name__})"
    return (
        f"The object store of {where} {reason}: see to its address, to the credentials in the environment and to what "
        "they allow, then run the same command again; nothing is half done."
    )


def is_of_store(error: BaseException) -> bool:
    """Whether an error of Lance's is that of a store."""
    return isinstance(error, OSError | RuntimeError | ValueError) and bool(_OF_A_STORE.search(str(error)))


def _stat(found: Mapping[str, Any]) -> Stat:
    return Stat(int(found["size"]), f"{found['e_tag']} {found['last_modified'].isoformat()}")


def _obstore() -> ModuleType:
    try:
        import obstore  # noqa: PLC0415  # see the module's docstring
        import obstore.store  # noqa: PLC0415  # the same
    except ImportError:
        raise lacking("An object store", "store") from None
    return obstore
