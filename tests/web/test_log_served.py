"""The log and a receipt's file, as the portal serves them: at the specification's paths, and telling of nobody."""

import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pages import Visitor
from promises import findings
from town import ANN
from ways import by_link, state_of, typed

from demur.identity import Keys
from demur.register.database.folder import write_log
from demur.rights.erasing import erase
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.tiles import Piece, pieces_of
from demur.transparency.tree import check_consistency, root_of
from demur.web.desk import Desk

VERIFIER = Path(__file__).resolve().parents[2] / "clients" / "verify" / "demur_verify.py"


def verified(raw: bytes, key: str) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("demur_verify", VERIFIER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demur_verify"] = module
    spec.loader.exec_module(module)
    found: dict[str, Any] = module.verify(raw, module.Key.read(key))
    return found


def test_the_log_is_served_whole(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk)
    answer = visitor.client.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    said = Checkpoint.read(answer.content, [desk.register.proving.key])
    assert said.size == desk.register.log.head().seq
    for piece in pieces_of(said.size):
        answer = visitor.client.get(f"/log/{piece.path}")
        assert answer.status_code == 200
        assert answer.content == desk.register.proving.piece(piece)
        assert answer.headers["content-type"] == "application/octet-stream"


def test_how_the_key_was_rotated_is_served(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk)
    assert visitor.client.get("/log/rotations.json").json() == []
    made = desk.register.rotate_log(desk.workspace.keys().next_log())
    Keys.settle_log(desk.workspace.keys_path)
    answer = visitor.client.get("/log/rotations.json")
    assert (answer.json(), answer.headers["content-type"]) == ([made.json], "application/json")


def test_other_paths_are_not_there(visitor: Visitor, desk: Desk) -> None:
    by_link(visitor, desk)
    size = desk.register.log.head().seq
    paths = [
        Piece(0, 0).path,
        Piece(0, 0, size + 1).path,
        Piece(0, 5, 1).path,
        "tile/0/0",
        "tile/0/../../keys",
        "",
        "x",
    ]
    assert [visitor.client.get(f"/log/{path}").status_code for path in paths] == [404] * len(paths)
    assert visitor.client.post("/log/checkpoint").status_code == 405


def test_a_receipt_is_a_file_that_verifies(visitor: Visitor, desk: Desk) -> None:
    page = by_link(visitor, desk)
    assert f'<a href="{page.path}/proof">receipt.json</a>' in page.html
    answer = visitor.client.get(f"{page.path}/proof")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="receipt.json"'
    found = verified(answer.content, desk.register.proving.key.text)
    assert (found["entry"], found["phase"]) == (state_of(desk, page).seq, "lodged")
    assert ANN not in answer.text
    assert state_of(desk, page).reference not in answer.text


def test_what_is_printed_is_enough_to_make_the_file_again(visitor: Visitor, desk: Desk) -> None:
    """By whoever types it off: every member that is signed, to the letter."""
    page = by_link(visitor, desk)
    assert f'<a href="{page.path}/paper#proof">' in page.html
    paper = visitor.get(f"{page.path}/paper")
    shown = next(each for each in paper.tree.iter("dl") if each.get("class") == "facts proof")
    told = dict(zip(*(["".join(each.itertext()) for each in shown.iter(tag)] for tag in ("dt", "pre")), strict=True))
    said: dict[str, Any] = {name: told[name] for name in ("at", "entry", "phase", "proof", "salt")} | {"format": 1}
    made = json.dumps({"key": told["key"], "signature": told["signature"], "signed": said})
    found = verified(made.encode(), desk.register.proving.key.text)
    assert (found["entry"], found["phase"]) == (state_of(desk, page).seq, "lodged")
    for heading in ("What happens next", "Proof that the objection is in our register"):
        assert heading in paper.html
    assert ANN not in paper.html


def test_whoever_typed_an_account_gets_no_file(visitor: Visitor) -> None:
    """An erasure would end it, and so tell them that there is a holder, who asked for it."""
    page = typed(visitor, "ann")
    assert "receipt.json" not in page.text
    for name in ("proof", "paper"):
        assert visitor.client.get(f"{page.path}/{name}").status_code == 404


def test_an_erasure_leaves_the_tree_and_a_saved_receipt_verifies(visitor: Visitor, desk: Desk, tmp_path: Path) -> None:
    """The salts go with the person; what was signed before, and who has it, goes on."""
    page = by_link(visitor, desk)
    seq = state_of(desk, page).seq
    saved = visitor.client.get(f"{page.path}/proof").content
    before = Checkpoint.read(visitor.client.get("/log/checkpoint").content, [desk.register.proving.key])
    written = write_log(desk.register.proving, tmp_path / "log")
    pieces = {piece.path: desk.register.proving.piece(piece) for piece in pieces_of(before.size)}
    leaf = [each.commitment for each in desk.register.log.entries()][seq - 1]

    assert erase(desk.workspace, ANN).overwritten
    assert not desk.register.proving.opens(seq)
    assert visitor.client.get(f"{page.path}/proof").status_code == 404
    assert [each.commitment for each in desk.register.log.entries()][seq - 1] == leaf
    assert {path: desk.register.proving.piece(piece) for path, piece in _at(pieces)} == pieces
    after = Checkpoint.read(visitor.client.get("/log/checkpoint").content, [desk.register.proving.key])
    proof = desk.register.proving.consistency(before.size, after.size)
    check_consistency(before.size, after.size, proof, before.root, after.root)
    assert root_of(each.commitment for each in islice(desk.register.log.entries(), before.size)) == before.root
    assert write_log(desk.register.proving, tmp_path / "log").before == written.size == before.size
    assert verified(saved, desk.register.proving.key.text)["entry"] == seq
    assert findings(desk.register) == []


def _at(paths: Iterable[str]) -> Iterator[tuple[str, Piece]]:
    for path in paths:
        piece = Piece.at(path)
        assert piece is not None
        yield path, piece
