"""What each key of demur.toml means: the text under its field in :mod:`demur.policy.model`, read when it is asked for.

Pydantic would read these texts whenever the models are made: a tenth of a second of every command, for what only the
comments of demur.toml and docs/policy.md show.
"""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from demur.policy.model import Section


def meaning_of(section: type[Section], name: str) -> str:
    """The unit and meaning of a field of a table, by its name in Python; "" where none is written."""
    return _meanings(section).get(name, "")


@cache
def _meanings(section: type[Section]) -> Mapping[str, str]:
    """Each field with the text that stands right under it."""
    (written,) = ast.parse(inspect.getsource(section)).body
    assert isinstance(written, ast.ClassDef)
    found = {}
    for field, text in pairwise(written.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                found[name] = inspect.cleandoc(said)
    return found
