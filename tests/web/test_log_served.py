"""The log and a receipt's file, as the portal serves them: at the specification's paths, and telling of nobody."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

from pages import Visitor
from town import ANN
from ways import by_link, state_of, typed

from demur.identity import Keys
from demur.transparency.checkpoint import Checkpoint
from demur.transparency.tiles import Piece, pieces_of
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
