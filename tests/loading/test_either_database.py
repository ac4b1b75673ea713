"""A loader follows a register on PostgreSQL as it does one in a file: one suite, two databases."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from cluster import Cluster
from loads import ALWAYS, TEXTS, found, loaded, objects, texts

import demur
from demur.corpus.honour import honour
from demur.errors import RegisterError, UnavailableError, UsageError
from demur.policy.model import RegisterPlace
from demur.versions.leave import export
from demur.versions.publish import retire
from demur.workspace import Workspace

MASKED = ["see [person] there", "I met [person] today", *TEXTS[3:]]


@pytest.fixture
def database(cluster: Cluster) -> str:
    """The name of an empty database."""
    name = f"demur_{uuid.uuid4().hex}"
    cluster.create(name)
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, fast_tmp: Path) -> Workspace:
    if request.param == "sqlite":
        return found(fast_tmp / "w")
    server: Cluster = request.getfixturevalue("cluster")
    return found(fast_tmp / "w", register=RegisterPlace(url=server.url(request.getfixturevalue("database"))))


def test_what_comes_while_rows_are_read_is_followed(workspace: Workspace) -> None:
    with loaded(workspace) as loader:
        rows = iter(loader)
        assert next(rows)["text"] == TEXTS[0]
        reference = objects(workspace, "forum:ann")
        assert texts(rows) == MASKED
        assert (loader.left_out, loader.rewritten) == (1, 2)
        honour(workspace)
        objects(workspace, "forum:dag")
        assert texts(loader) == [*MASKED[:2], TEXTS[4]]
        with workspace.register() as register:
            register.objections.withdraw(reference)
        assert texts(loader) == [TEXTS[0], MASKED[0], TEXTS[2], TEXTS[4]]


def test_a_reader_goes_on_where_it_was_and_a_retired_version_ends_it(workspace: Workspace) -> None:
    with loaded(workspace) as loader, loaded(workspace) as again:
        rows = iter(loader)
        next(rows)
        again.load_state_dict(loader.state_dict())
        objects(workspace, "forum:ann")
        assert texts(again) == texts(rows) == MASKED
        rows = iter(loader)
        next(rows)
        retire(workspace, "v1")
        with pytest.raises(UsageError, match=r"^Version v1 was retired"):
            next(rows)


def test_an_export_follows_the_workspaces_head(workspace: Workspace, fast_tmp: Path) -> None:
    folder = fast_tmp / "training-data"
    export(workspace, "v1", folder)
    with demur.load(folder, head=workspace.root, check_every=ALWAYS) as loader:
        objects(workspace, "forum:ann")
        assert texts(loader) == MASKED


def test_a_database_that_goes_away_stops_the_loader_and_an_older_one_is_refused(
    cluster: Cluster, database: str, fast_tmp: Path, clock: list[float]
) -> None:
    workspace = found(fast_tmp / "w", register=RegisterPlace(url=cluster.url(database)))
    older = f"{database}_older"
    cluster.create(older, database)
    with loaded(workspace, max_staleness=timedelta(seconds=60)) as loader:
        rows = iter(loader)
        next(rows)
        objects(workspace, "forum:dag")
        next(rows)
        cluster.run(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        cluster.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")
        clock[0] += 59
        next(rows)  # unknown, and not yet for too long
        clock[0] += 5
        with pytest.raises(UnavailableError, match=r"^Loading has stopped: the register of .* for 64 s, .*\.$"):
            next(rows)
        cluster.run(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        rows = iter(loader)
        next(rows)
        cluster.run(f"DROP DATABASE {database} WITH (FORCE)")
        cluster.run(f"ALTER DATABASE {older} RENAME TO {database}")
        with pytest.raises(RegisterError, match="older than"):
            next(rows)
