"""The configuration: read, refused, and the same bytes for the same choices."""

import json
from pathlib import Path
from typing import Any

import pytest

from demur.errors import UsageError
from demur.training.config import Config, Hazard, read_config


def test_a_configuration_survives_its_own_bytes(tmp_path: Path) -> None:
    config = Config(rate=3e-4, width=64, hazard=(Hazard(), Hazard(500, 2.5)))
    (tmp_path / "config.json").write_bytes(config.to_bytes())
    again = read_config(tmp_path / "config.json")
    assert again == config
    assert again.digest == config.digest
    assert len({Config().digest, config.digest, Config(seed=1).digest}) == 3


def test_its_bytes_stay_what_they_are() -> None:
    assert Config().digest.hex() == "40f6be5e3720ecb68706b9ff1a67a13889588ed7ff3783edf6cbb9256ec3c28d"


def test_toml_is_read(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text("layers = 2\nrate = 0.01\nhazard = [{tokens = 0, rate = 1}, {tokens = 100, rate = 3.0}]\n")
    config = read_config(path)
    assert (config.layers, config.rate, config.hazard[1]) == (2, 0.01, Hazard(100, 3.0))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"layerz": 2}, "did you mean `layers`"),
        ({"layers": "many"}, "`layers` has to be a whole number"),
        ({"layers": True}, "`layers` has to be a whole number"),
        ({"layers": 0}, "at least 1"),
        ({"rate": "fast"}, "`rate` has to be a number"),
        ({"rate": 0}, "above 0"),
        ({"rate": float("nan")}, "above 0"),
        ({"held": 1.0}, "below 1"),
        ({"width": 60, "heads": 4}, "multiple of twice"),
        ({"dropout": 0.1}, "keyed_dropout"),
        ({"dtype": "bfloat16"}, "can't be replayed"),
        ({"dtype": "float16"}, "can't be replayed"),
        ({"compile": True}, "can't be replayed"),
        ({"device": "tpu"}, "cpu or cuda"),
        ({"hazard": []}, "first line from 0"),
        ({"hazard": [{"tokens": 5}]}, "first line from 0"),
        ({"hazard": [{"tokens": 0, "rate": -1}]}, "rates above 0"),
        ({"hazard": [{"people": 0}]}, "list of lines"),
        ({"hazard": 3}, "list of lines"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, said: dict[str, Any], words: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(said))
    with pytest.raises(UsageError, match=words) as told:
        read_config(path)
    assert str(path) in str(told.value)


def test_keyed_dropout_is_allowed() -> None:
    assert Config(dropout=0.1, keyed_dropout=True).dropout == 0.1


@pytest.mark.parametrize(("name", "content"), [("a.toml", "layers"), ("a.json", "{"), ("a.json", "[1]")])
def test_what_is_no_configuration_is_named(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match=name):
        read_config(tmp_path / name)


def test_a_missing_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml can't be read"):
        read_config(tmp_path / "none.toml")
