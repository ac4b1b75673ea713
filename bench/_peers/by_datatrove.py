"""The job as a pipeline of datatrove: its filter by a function, its own PII formatter, and a formatter for the rest."""

import re

import pyarrow as pa
import pyarrow.parquet as pq
from _job import MASKED_MAIL, MASKED_PERSON, MASKED_PHONE, PHONE, Job, run
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.formatters.base import BaseFormatter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers.parquet import ParquetWriter


class Masks(BaseFormatter):
    """Phone numbers and handles, of which datatrove knows nothing."""

    name = "masks"

    def __init__(self, handles: str) -> None:
        super().__init__()
        self._handles, self._phone = re.compile(handles), re.compile(PHONE)

    def format(self, text: str) -> str:
        """The text without them."""
        return self._handles.sub(MASKED_PERSON, self._phone.sub(MASKED_PHONE, text))


class Among:
    """Whether a document is of somebody who stays; it travels to other processes."""

    def __init__(self, authors: list[str]) -> None:
        self._out = frozenset(authors)

    def __call__(self, document: Document) -> bool:
        """Whether to keep it."""
        return document.metadata["author"] not in self._out


def written(job: Job) -> pa.Schema:
    """What is written: it would be guessed from the first document, in which some fields are null."""
    below = [each for each in pq.read_schema(job.parts[0]) if each.name not in {"text", "item"}]
    metadata = pa.struct([*below, pa.field("file_path", pa.string())])
    return pa.schema([("text", pa.string()), ("id", pa.string()), ("metadata", metadata)])


def work(job: Job) -> None:
    """As many tasks as workers, each with its share of the files."""
    pipeline = [
        ParquetReader(job.folder, text_key="text", id_key="item", glob_pattern="*.parquet"),
        LambdaFilter(Among(job.authors)),
        PIIFormatter(email_replacement=MASKED_MAIL),
        Masks(job.handles),
        ParquetWriter(job.to, compression="zstd", schema=written(job)),
    ]
    LocalPipelineExecutor(
        pipeline, tasks=job.workers, workers=job.workers, logging_dir=f"{job.to}.logs", skip_completed=False
    ).run()


if __name__ == "__main__":
    run(work, "datatrove")
