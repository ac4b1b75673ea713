"""A real Instagram export through the loop: the right counts by kind, and none of its private messages."""

from pathlib import Path

import pytest
from making import open_policy

from demur import workspace as workspaces
from demur.corpus.importing import import_items
from demur.corpus.session import reading
from demur.policy import Door, Policy, write_policy
from demur.sources import load_source
from demur.terms import Audience, Reason

KINDS = {"caption": 37, "comment": 13, "message": 125, "photo": 2, "profile": 1, "story": 26}


def imported(
    shared: Path, tmp_path: Path, policy: Policy
) -> tuple[workspaces.Workspace, dict[str, int], dict[Reason, int]]:
    workspace = workspaces.create(tmp_path / "w", open_policy())
    write_policy(policy, workspace.policy_path)
    zipped = str(shared / "instagram" / "insta4dummy_20201105.zip")
    report = import_items(workspace, "instagram", load_source("instagram").read([zipped], {}))
    assert report.kinds == KINDS
    assert report.read == 204 == report.kept + sum(report.left_out.values())
    with reading(workspace) as session:
        kinds = [kind for batch in session.corpus.batches(["kind"]) for kind in batch.column("kind").to_pylist()]
    assert len(kinds) == report.kept
    return workspace, {kind: kinds.count(kind) for kind in sorted(set(kinds))}, report.left_out


def test_of_a_private_account_only_the_profile_and_its_picture_come_in(shared: Path, tmp_path: Path) -> None:
    _, kinds, left_out = imported(shared, tmp_path, open_policy())
    assert kinds == {"photo": 1, "profile": 1}
    assert left_out == {Reason.KIND: 125, Reason.UNKNOWN_AUDIENCE: 12, Reason.AUDIENCE: 65}


@pytest.mark.parametrize("audiences", [("public", "followers"), tuple(Audience)])
def test_no_private_message_enters_however_wide_the_audiences(
    shared: Path, tmp_path: Path, audiences: tuple[Audience, ...]
) -> None:
    policy = open_policy(door=Door(unknown_age="use", audiences=tuple(Audience(a) for a in audiences)))
    _, kinds, left_out = imported(shared, tmp_path, policy)
    assert kinds == {"caption": 37, "comment": 1, "photo": 2, "profile": 1, "story": 26}
    assert left_out[Reason.KIND] == 125
