"""Runs as training leaves them, without any training: a plan over a corpus, who is in it, and empty checkpoints."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from making import NOW

from demur.corpus.datasets.corpus import Corpus
from demur.runs.entries import note_trained
from demur.runs.facts import AsOf, Facts, ModelState, write_facts
from demur.runs.folder import ModelFolder, begin_run
from demur.runs.following import put_in_service
from demur.runs.people import people_of, write_people
from demur.workspace import Workspace

PLAN = pa.schema(
    [
        pa.field("step", pa.int32()),
        pa.field("position", pa.int32()),
        pa.field("item", pa.binary(16)),
        pa.field("row", pa.binary(32)),
        pa.field("tokens", pa.int32()),
        pa.field("people", pa.list_(pa.int64())),
    ]
)


def planned(corpus: Corpus, order: Sequence[int]) -> pa.Table:
    """One row of the corpus a step, in the order of the keys of their first authors in ``order``."""
    rows = [row for batch in corpus.batches(["item", "author", "subjects"]) for row in batch.to_pylist()]
    rows.sort(key=lambda row: (order.index(row["author"]), row["item"]))
    return pa.Table.from_pylist(
        [
            {
                "step": step,
                "position": 0,
                "item": row["item"],
                "row": row["item"] * 2,
                "tokens": 7,
                "people": sorted({row["author"], *(row["subjects"] or ())}),
            }
            for step, row in enumerate(rows)
        ],
        PLAN,
    )


def trained(workspace: Workspace, order: Sequence[int], name: str = "irc", *, serve: bool = True) -> ModelFolder:
    """A run whose first model is trained on the corpus, one row a step, with a checkpoint after each step."""
    plan = planned(Corpus.view(workspace.corpus_path), order)
    model = begin_run(workspace.models_path, name).begin_model()
    model.run.config.write_bytes(b"{}")
    pq.write_table(plan, model.plan)
    write_people(model, people_of(plan))
    for step in range(len(plan) + 1):
        model.checkpoint(step).mkdir()
        (model.checkpoint(step) / "weights.safetensors").write_bytes(b"%d" % step)
    write_facts(model, Facts(1, None, "v1", AsOf(1, 1, "00"), {}, NOW, NOW, ModelState.FINISHED))
    with workspace.register() as register:
        note_trained(register, model, {"version": "v1"}, now=NOW)
        if serve:
            put_in_service(model, register, workspace.policy(), now=NOW)
    return model
