"""The verifier that stands alone, and the scripts that make golden files, as modules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

from hypothesis import strategies as st

FILE: Final = Path(__file__).resolve().parents[2] / "clients" / "verify" / "demur_verify.py"


def load(name: str, path: Path) -> ModuleType:
    """A script as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def changed(data: st.DataObject, genuine: bytes) -> bytes:
    """A file in which up to three bytes are drawn anew."""
    raw = bytearray(genuine)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    return bytes(raw)


VERIFY: Final = load("demur_verify", FILE)
