"""The reports of audits: where each lies, and what it says, if it is of what is there now.

The report of a run's model lies beside the model. A family of cohorts has no folder: its report lies beside the model
of its first cohort, and names the models of all. Once one of them was replayed, it is of a family that is no more.

Invariant: what another demur wrote is read as far as it can be; a report that can't be read is none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from demur.errors import CorpusError
from demur.runs.folder import ModelFolder
from demur.runs.reading import read_json

OF_FAMILY: Final = "audit.family.json"
"""In the folder of the first cohort's model."""


def numbers(models: Sequence[ModelFolder]) -> str:
    """How models that answer together are called: ``0001``, or ``0001+0002`` of a family of two cohorts."""
    return "+".join(model.number for model in models)


def report_of(models: Sequence[ModelFolder]) -> Path:
    """Where the report of an audit lies.

    Args:
        models: the one that was audited, or those of all cohorts of a family, in their order.
    """
    return models[0].audit if len(models) == 1 else models[0].path / OF_FAMILY


def read_report(models: Sequence[ModelFolder]) -> Mapping[str, Any]:
    """What the report of these models says; empty where there is none that is of them.

    Args:
        models: as of :func:`report_of`.
    """
    try:
        said = read_json(report_of(models))
    except CorpusError:
        return {}
    about = said.get("about")
    if len(models) == 1:
        return said
    return said if isinstance(about, Mapping) and about.get("model") == numbers(models) else {}
