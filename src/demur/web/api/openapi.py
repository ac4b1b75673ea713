"""The API's own description, OpenAPI 3.1: made from the routes, and what the page of documentation is made from.

Invariants: it says every route, every problem and every limit that the code has (tests send what it says); it is the
same for every workspace, so that docs/openapi.json is it.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

import orjson
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute

from demur.web.api import answers, models

VERSION: Final = "3.1.0"
_ABOUT: Final = """\
For a platform's own switch, settings page and back office: people object in your interface, and demur keeps what they
wrote out of the training corpus (Art. 21(5) GDPR: by automated means).

Send the key that `demur key create NAME` printed as `Authorization: Bearer KEY`. What does not work is answered with
a problem (RFC 9457) whose `detail` is one sentence. An answer of `POST /api/objections` means that the objection is on
disk and binds. Where the answer does not reach you, send the same again with the same `Idempotency-Key`."""
_TAGS: Final = {
    "Objections": "Lodged, looked up, confirmed, lapsed, withdrawn (Art. 21 GDPR).",
    "Notices": "In-app notices that you show, and mails that came back.",
    "Rights": "A person's copy and a person's deletion (Arts 15 and 17 GDPR).",
    "Claims": "That a model repeats somebody's data: lodged, and how each stands.",
    "Loading": "For whoever trains on an export: what of it may not be used any more.",
    "Status": "For monitoring.",
}
_SAID: Final[tuple[type[BaseModel], ...]] = (
    models.NewObjection,
    models.NewObjections,
    models.Lapse,
    models.Who,
    models.NewClaim,
    models.Bounce,
    models.HeadAsked,
    models.ShownTo,
    answers.Details,
)
_REF: Final = "#/components/schemas/{model}"


def document(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of routes."""
    made: dict[str, Any] = get_openapi(
        title="demur",
        version=version("demur"),
        openapi_version=VERSION,
        description=_ABOUT,
        routes=routes,
        tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = made.setdefault("components", {})
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "A key that `demur key create NAME` printed."}
    }
    schemas = components.setdefault("schemas", {})
    _, said = models_json_schema([(model, "validation") for model in _SAID], ref_template=_REF)
    schemas |= said["$defs"]
    components["schemas"] = dict(sorted(schemas.items()))
    return made


def written(made: dict[str, Any]) -> bytes:
    """A document as JSON that people can read and compare."""
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
