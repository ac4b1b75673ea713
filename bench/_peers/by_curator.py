"""The job as a pipeline of NeMo Curator: its filter and modifier stages, on a Ray of its own."""

import re

from _job import MAIL, MASKED_MAIL, MASKED_PERSON, MASKED_PHONE, PHONE, Job, run
from nemo_curator.backends.ray_data import RayDataExecutor
from nemo_curator.core.client import RayClient
from nemo_curator.pipeline import Pipeline
from nemo_curator.stages.text.filters.score_filter import Filter
from nemo_curator.stages.text.io.reader.parquet import ParquetReader
from nemo_curator.stages.text.io.writer.parquet import ParquetWriter
from nemo_curator.stages.text.modifiers.doc_modifier import DocumentModifier
from nemo_curator.stages.text.modifiers.modifier import Modify


class Masks(DocumentModifier):
    """Everything that is masked: this release has no stage of its own for personal details."""

    def __init__(self, handles: str) -> None:
        super().__init__()
        self._masks = [(MAIL, MASKED_MAIL), (PHONE, MASKED_PHONE), (handles, MASKED_PERSON)]

    def modify_document(self, text: str) -> str:
        """The text without them."""
        for pattern, mask in self._masks:
            text = re.sub(pattern, mask, text)
        return text


def work(job: Job) -> None:
    """Four stages."""
    out = frozenset(job.authors)
    client = RayClient(num_cpus=job.workers, include_dashboard=False)
    client.start()
    try:
        pipeline = Pipeline("peers")
        pipeline.add_stage(ParquetReader(file_paths=job.folder, files_per_partition=1))
        pipeline.add_stage(Filter(filter_fn=lambda author: author not in out, filter_field="author"))
        pipeline.add_stage(Modify(Masks(job.handles), input_fields="text"))
        pipeline.add_stage(ParquetWriter(path=job.to))
        pipeline.run(RayDataExecutor())
    finally:
        client.stop()


if __name__ == "__main__":
    run(work, "nemo-curator", "ray")
