"""A small town's forum: invented members in several languages, a few posts, and the controller who runs it."""

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from making import batch, item, open_policy, span
from places import create

from demur.corpus.importing import import_items
from demur.policy import Controller, Notice, Policy, Portal, Purpose, Wording
from demur.register.members.rows import MEMBER
from demur.workspace import Workspace

ANN, ANNS_OTHER, DIETER, EWA, KARMENU, SILENT = (
    "forum:ann",
    "mastodon:@ann@town.example",
    "forum:dieter",
    "forum:ewa",
    "forum:karmenu",
    "forum:silent",
)

MEMBERS: Final[list[dict[str, Any]]] = [
    {
        "account": ANN,
        "names": ["Ann Archer"],
        "locale": "en",
        "region": "IE",
        "mail": "ann@town.example",
        "mail_verified": True,
        "linked": [ANNS_OTHER],
    },
    {
        "account": DIETER,
        "names": ["Dieter Dachs"],
        "locale": "de-DE",
        "region": "DE",
        "mail": "dieter@town.example",
        "mail_verified": True,
    },
    {
        "account": EWA,
        "names": ["Ewa Ekel"],
        "locale": "pl",
        "region": "PL",
        "mail": "ewa@town.example",
        "mail_verified": True,
    },
    {
        "account": KARMENU,
        "names": ["Karmenu Kamra"],
        "locale": "mt",
        "region": "MT",
        "mail": "karmenu@town.example",
        "mail_verified": True,
    },
    {"account": SILENT, "names": ["Silent Sam"]},
]
"""The last one has neither a mail address nor a language."""

POSTS: Final[list[dict[str, Any]]] = [
    item("1", ANN, "The library opens at nine."),
    item("2", ANN, "<b>Bold</b> & brave: the bakery has rye again."),
    item("3", DIETER, "Der Markt ist heute auf dem Platz."),
    item("4", EWA, "@ann czy jutro pieczesz?", spans=[span(0, 4, "mention", ANN)]),
    item("5", KARMENU, "Il-festa hija l-Hadd."),
    item("6", SILENT, "I come by train."),
]
"""Two posts of Ann's, one of which looks like markup, one that names her, and one of everybody else's."""


def town_policy(**changes: Any) -> Policy:  # noqa: ANN401  # fields of a model
    """What the town's controller decided."""
    base: dict[str, Any] = {
        "controller": Controller(
            name="Town Forum",
            contact="hello@town.example",
            dpo="dpo@town.example",
            address="1 Market Square, Dublin",
            country="IE",
        ),
        "purpose": Purpose(name="Training of a town assistant", description="We train an assistant that answers."),
        "notice": Notice(
            required=False,
            languages=("en", "de"),
            wording={
                "en": Wording(
                    purpose="We train an assistant that answers questions about the town.",
                    interests="An assistant that knows the town, for everybody who lives there.",
                    recipients="Nobody but us.",
                    transfers="None.",
                    storage="For as long as the assistant is in use.",
                    source="Public posts on this forum.",
                )
            },
        ),
        "portal": Portal(namespace="forum"),
    }
    return open_policy(**(base | changes))


def found_town(root: Path, policy: Policy | None = None) -> Workspace:
    """The forum's workspace: members known, posts imported."""
    workspace = create(root, policy or town_policy())
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(MEMBERS, schema=MEMBER)])
    import_items(workspace, "forum", [batch(POSTS)])
    return workspace
