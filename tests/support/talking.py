"""A small forum whose members greet, name, sign and copy each other, in which two of them object.

Everybody in it is invented.
"""

from typing import Any, Final

import pyarrow as pa
from making import NOW, batch, item, open_policy

from demur import workspace as workspaces
from demur.corpus.honour import honour
from demur.corpus.importing import import_items
from demur.register.members.rows import MEMBER
from demur.workspace import Workspace

CYD: Final = "forum:cyd_steele"
ROB: Final = "forum:rmiller"
NAMES: Final = {CYD: ["Cyd Steele"], ROB: ["Robert Miller"], "forum:anna_s": ["Anna Sommer"]}
SAYING: Final = "the plums in my garden want water every evening and shade at noon or they dry out long before autumn"
OTHER: Final = "whoever sows the beans in March has to cover them at night until the frost of May has gone for good"
ONE: Final = "forum:one"
TWO: Final = "forum:two"

ITEMS: Final = (
    item("one", CYD, f"I say it again: {SAYING}.\n-- Cyd", thread=ONE),
    item("two", ROB, f"Let me add that {OTHER}.", thread=TWO),
    item("answer", "forum:anna_s", "Hi Cyd, thanks for that.", thread=ONE, parent="forum:one"),
    item("full", "forum:gus", "Yesterday I met Cyd Steele at the market.", thread=TWO),
    item("hangs", "forum:ida", "Hi Cyd, are you here, too?", thread=TWO),
    item("copy", "forum:hal", f"Somebody told me that {SAYING}, which is true.", thread=TWO),
    item("elsewhere", "forum:gus", "Thanks Robert, it worked.", thread="forum:three"),
)
MORE: Final = (
    item("three", "forum:ida", "Does anybody know Robert Miller?", thread="forum:three"),
    item("four", ROB, f"As I wrote elsewhere, {OTHER}, and {SAYING.replace('plums', 'pears')}.", thread=ONE),
    item("five", "forum:hal", f"They say that {OTHER}, or so I heard.", thread=ONE),
    item("six", "forum:anna_s", "Thanks Robert!", thread=ONE, parent="forum:four"),
    item("hangs", "forum:ida", "Hi Cyd, hi Robert, are you here, too?", thread=TWO),
    item("seven", "forum:gus", "Is Cyd Steele still around?", thread="forum:four"),
    item("eight", "forum:gus", "Hi Cyd, you are.", thread="forum:four"),
)


def talking(workspace: Workspace, *, waiting: bool) -> None:
    """Makes the forum: Rob has objected, and Cyd; with ``waiting`` nobody has honoured that of Cyd yet."""
    workspaces.create(workspace.root, open_policy())
    talk(workspace, waiting=waiting)


def talk(workspace: Workspace, *, waiting: bool) -> None:
    """The same in a workspace that is there, and empty."""
    rows = [{"account": account, "names": names, "locale": "en"} for account, names in NAMES.items()]
    with workspace.register() as register:
        register.members.import_all([pa.RecordBatch.from_pylist(rows, schema=MEMBER)], now=NOW)
    import_items(workspace, "table", iter([batch(ITEMS)]), now=NOW)
    for account in (ROB, CYD):
        honour(workspace, now=NOW)
        with workspace.register() as register:
            register.objections.lodge([account], channel="form", now=NOW)
    if not waiting:
        honour(workspace, now=NOW)


def held(session: Any) -> dict[str, list[Any]]:  # noqa: ANN401  # a Session
    """Everything that a corpus and what lies beside it hold, but where it lies; sorted."""
    datasets = {"corpus": session.corpus, **vars(session.beside)}
    return {
        name: sorted(
            repr(sorted(row.items()))
            for part in dataset.batches(dataset.SCHEMA.names)
            for row in part.drop_columns(["_rowaddr"]).to_pylist()
        )
        for name, dataset in datasets.items()
    }
