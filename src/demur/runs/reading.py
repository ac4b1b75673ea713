"""Small JSON files of a run: read whole or refused in one sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from demur.errors import CorpusError


def read_json(path: Path) -> dict[str, Any]:
    """The members of a JSON object in a file.

    Raises:
        CorpusError: when it can't be read, or is none.
    """
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        raise CorpusError(f"{path} can't be read ({error.strerror}): put it back from your backup.") from None
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        raise broken(path)
    return dict(found)


def broken(path: Path) -> CorpusError:
    """What a file is that does not hold what it should."""
    return CorpusError(f"{path} is damaged: put it back from your backup, or train the run again.")
