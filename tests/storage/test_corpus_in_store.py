"""A corpus in an object store is the one that a disk would hold, whatever the store does meanwhile (ADR 0041)."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from in_store import PEOPLE, PHRASE, held, put, run_through, stored, town
from making import NOW, batch, item
from objects import KEY_ID, S3, SECRET, Bucket, Faults, proxy, request

from demur.corpus.datasets.corpus import Corpus
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.corpus.session import reading, writing
from demur.corpus.sole import NAME
from demur.errors import CorpusError, PolicyError, UnavailableError, WorkspaceError
from demur.health import Check, failing
from demur.policy import load_policy
from demur.rights.erasing import erase
from demur.store import Stored
from demur.terms import EntryKind
from demur.versions.leave import verify
from demur.versions.publish import publish
from demur.worker.maintenance import maintain
from demur.workspace import Workspace


@pytest.fixture
def on_disk(template: Workspace, tmp_path: Path) -> Workspace:
    """The workspace whose corpus lies beside it, run through."""
    made = put(template, tmp_path / "disk")
    run_through(made)
    return made


def files(root: Path) -> Iterator[bytes]:
    """What every file of a workspace holds."""
    return (path.read_bytes() for path in root.rglob("*") if path.is_file())


def check_same(workspace: Workspace, on_disk: Workspace) -> None:
    """Whether a corpus in a store holds what the one on the disk does, and its version can be verified."""
    assert stored(workspace) == stored(on_disk)
    found = verify(workspace, "v1", now=NOW)
    assert not found.counts, found.shown


def test_the_rows_are_those_of_a_disk(
    template: Workspace, on_disk: Workspace, tmp_path: Path, s3: str, bucket: Bucket
) -> None:
    workspace = put(template, tmp_path / "s3", f"s3://{bucket()}/a/corpus", s3)
    run_through(workspace)
    check_same(workspace, on_disk)
    assert not (workspace.root / "corpus.lance").exists()
    with reading(workspace, NOW) as session:
        assert session.corpus.indexed
        assert session.corpus.uri == f"{workspace.store}/corpus.lance"
        assert session.corpus.storage == {"allow_http": "true", "aws_endpoint": s3}
    assert workspace.store is not None
    assert not (workspace.store / NAME).exists()
    with workspace.register() as register:
        assert failing(workspace, register) == [Check.WORKER]  # none is at work
    assert not any(secret in data for data in files(workspace.root) for secret in (KEY_ID.encode(), SECRET.encode()))


@pytest.mark.usefixtures("azure_environment")
def test_azure_holds_the_same_rows(template: Workspace, on_disk: Workspace, tmp_path: Path, azure: str) -> None:
    _make_container(azure, "demur")
    workspace = put(template, tmp_path / "azure", "az://demur/corpus", azure)
    run_through(workspace)
    check_same(workspace, on_disk)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak), pytest.param(3, marks=pytest.mark.soak)])
def test_faults_change_nothing(  # fixtures
    seed: int, template: Workspace, on_disk: Workspace, tmp_path: Path, s3: str, bucket: Bucket
) -> None:
    faults = Faults(0.04, seed)
    with proxy(s3, faults) as address:
        workspace = put(template, tmp_path / "s3", f"s3://{bucket()}/corpus", address)
        _until_done(workspace)
        faults.share = 0
        check_same(workspace, on_disk)
    assert faults.met > 10


def _until_done(workspace: Workspace) -> None:
    """Runs it through, each step again where it said that the store refused, as a person would."""
    steps: list[Callable[[], object]] = [
        lambda: import_items(workspace, "forum", [batch(town())], workers=1, now=NOW),
        lambda: _object(workspace),
        lambda: honour(workspace, now=NOW),
        lambda: import_items(
            workspace, "forum", [batch([item("n0", PEOPLE[0], "an edit"), item("new", PEOPLE[1])])], workers=1, now=NOW
        ),
        lambda: publish(workspace, "v1", now=NOW),
    ]
    for step in steps:
        for _ in range(8):
            try:
                step()
                break
            except (UnavailableError, CorpusError) as error:
                assert "object store" in str(error) or "meanwhile" in str(error)  # noqa: PT017  # any else is a failure
        else:
            pytest.fail("eight times were not enough")


def _object(workspace: Workspace) -> None:
    with workspace.register() as register:
        register.objections.lodge([PEOPLE[5]], channel="form", now=NOW)


_VICTIM: Final = """
import os, signal, sys
from pathlib import Path
from demur.corpus.datasets.base import Dataset
from demur.corpus.importing import import_items
from demur.workspace import Workspace
from making import NOW, batch
from in_store import town

def killed():
    left = int(sys.argv[2])
    for name in ("commit", "say", "write", "index"):
        def step(self, *given, _real=getattr(Dataset, name), **named):
            global count
            count += 1
            if count == left:
                os.kill(os.getpid(), signal.SIGKILL)
            return _real(self, *given, **named)
        setattr(Dataset, name, step)
count = 0
killed()
import_items(Workspace(Path(sys.argv[1])), "forum", [batch(town()[:60])], workers=1, now=NOW)
print(count)
"""


@pytest.mark.parametrize("step", [6, *(pytest.param(at, marks=pytest.mark.soak) for at in (2, 4, 8, 9, 10, 11))])
def test_a_killed_import_leaves_nothing_or_all(
    step: int, template: Workspace, tmp_path: Path, s3: str, bucket: Bucket
) -> None:
    workspace = put(template, tmp_path / "s3", f"s3://{bucket()}/corpus", s3)
    import_items(workspace, "forum", [batch([item("first", PEOPLE[0])])], workers=1, now=NOW)
    before = stored(workspace)
    paths = os.pathsep.join([os.environ.get("PYTHONPATH", ""), *sys.path])
    told = subprocess.run(
        [sys.executable, "-c", _VICTIM, str(workspace.root), str(step)],
        env=os.environ | S3 | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == -signal.SIGKILL, told.stdout + told.stderr[-2000:]
    with workspace.register() as register:
        known = len(list(register.log.entries(EntryKind.IMPORT_FINISHED))) == 2
    assert len(stored(workspace)) == (61 if known else 1)
    assert (workspace.store / NAME).exists()  # type: ignore[operator]  # it is in a store
    maintain(workspace, now=NOW)
    assert len(stored(workspace)) == (61 if known else 1)
    if not known:
        assert stored(workspace) == before
    assert not (workspace.store / NAME).exists()  # type: ignore[operator]  # the same


def test_the_second_of_two_writers_says_so(template: Workspace, tmp_path: Path, s3: str, bucket: Bucket) -> None:
    url = f"s3://{bucket()}/corpus"
    first, second = put(template, tmp_path / "first", url, s3), put(template, tmp_path / "second", url, s3)
    with (
        writing(first, "import", NOW),
        pytest.raises(WorkspaceError, match="Another workspace writes to s3://") as refused,
    ):
        honour(second, now=NOW)
    assert "`demur import` on " in str(refused.value)
    honour(second, now=NOW)


def test_of_two_commits_the_second_fails(s3: str, bucket: Bucket) -> None:
    place = Stored(f"s3://{bucket()}/corpus.lance", s3)
    Corpus.create(place)
    first, second = Corpus.open(place), Corpus.open(place)
    first.say(first.said())
    assert first.version == second.version + 1
    with pytest.raises(CorpusError, match="Somebody else has written to s3://"):
        second.commit(np.zeros(0, np.uint64), [])
    assert Corpus.open(place).version == first.version


@pytest.mark.parametrize("kind", ["unconditional", "refusing"])
def test_a_store_without_conditional_writes_is_refused(
    kind: str, template: Workspace, tmp_path: Path, s3: str, bucket: Bucket
) -> None:
    name = bucket()
    with proxy(s3, Faults(**{kind: True})) as address:
        workspace = put(template, tmp_path / "s3", f"s3://{name}/corpus", address)
        with pytest.raises(WorkspaceError, match="no conditional writes"):
            import_items(workspace, "forum", [batch(town())], workers=1, now=NOW)
    assert not list(Stored(f"s3://{name}", s3).objects())


def test_a_store_that_refuses_is_told_without_what_it_says(
    template: Workspace, tmp_path: Path, s3: str, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    faults = Faults()
    with proxy(s3, faults) as address:
        workspace = put(template, tmp_path / "s3", f"s3://{bucket()}/corpus", address)
        import_items(workspace, "forum", [batch(town())], workers=1, now=NOW)
        faults.denying = True
        for ask in (lambda: honour(workspace, now=NOW), lambda: stored(workspace)):
            with pytest.raises(UnavailableError, match=r"answered (AccessDenied|403)") as refused:
                ask()
            assert KEY_ID not in str(refused.value)
        _object(workspace)  # who objects waits for no store
        with workspace.register() as register:
            assert failing(workspace, register) == [Check.CORPUS, Check.WORKER]
    assert KEY_ID not in caplog.text
    assert SECRET not in caplog.text


def test_credentials_have_no_place_in_demur_toml(template: Workspace) -> None:
    path = template.root / "demur.toml"
    text = path.read_text()
    for key, value in (("url", f"s3://{KEY_ID}:{SECRET}@bucket/a"), ("url", f"s3://bucket/a?key={SECRET}")):
        path.write_text(text.replace(f'[store]\n{"".join(_between(text))}{key} = ""', f'[store]\n{key} = "{value}"', 1))
        with pytest.raises(PolicyError, match="no keys") as refused:
            load_policy(path)
        assert SECRET not in str(refused.value)


def _between(text: str) -> list[str]:
    """The comment lines between the table's head and its first key."""
    lines = text.partition("[store]\n")[2].splitlines(keepends=True)
    return lines[: next(at for at, line in enumerate(lines) if not line.startswith("#"))]


def test_an_erasure_removes_the_bytes(template: Workspace, tmp_path: Path, s3: str, bucket: Bucket) -> None:
    workspace = put(template, tmp_path / "s3", f"s3://{bucket()}/corpus", s3)
    import_items(workspace, "forum", [batch(town())], workers=1, now=NOW)
    publish(workspace, "v1", now=NOW)
    assert workspace.store is not None
    assert PHRASE.encode() in held(workspace.store), "its bytes can't be told"
    erase(workspace, PEOPLE[3], now=NOW)
    assert PHRASE.encode() not in held(workspace.store)


def test_a_bucket_that_keeps_versions_is_told_of(
    template: Workspace, tmp_path: Path, s3: str, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    name = bucket()
    body = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert request(s3, "PUT", f"/{name}?versioning", body) == 200
    honour(put(template, tmp_path / "s3", f"s3://{name}/corpus", s3), now=NOW)
    assert "keeps old versions of objects" in caplog.text


def _make_container(azure: str, name: str) -> None:
    """Makes a container, by a request signed with the account's key."""
    import base64  # noqa: PLC0415
    import hashlib  # noqa: PLC0415
    import hmac  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415

    from objects import AZURE_ACCOUNT, AZURE_KEY  # noqa: PLC0415

    date = f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT"
    told = f"PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2021-08-06\n"
    told += f"/{AZURE_ACCOUNT}/{AZURE_ACCOUNT}/{name}\nrestype:container"
    signed = base64.b64encode(hmac.digest(base64.b64decode(AZURE_KEY), told.encode(), hashlib.sha256)).decode()
    headers = {"x-ms-date": date, "x-ms-version": "2021-08-06", "Authorization": f"SharedKey {AZURE_ACCOUNT}:{signed}"}
    path = f"{urlsplit(azure).path}/{name}?restype=container"
    assert request(azure, "PUT", path, headers=headers | {"Content-Length": "0"}) == 201
