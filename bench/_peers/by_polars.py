"""The job as a lazy query of Polars."""

import polars as pl
from _job import MAIL, MASKED_MAIL, MASKED_PERSON, MASKED_PHONE, PHONE, Job, run


def work(job: Job) -> None:
    """One query, streamed from file to file."""
    text = pl.col("text")
    for pattern, mask in ((MAIL, MASKED_MAIL), (PHONE, MASKED_PHONE), (job.handles, MASKED_PERSON)):
        text = text.str.replace_all(pattern, mask)
    kept = pl.scan_parquet(job.parts).filter(~pl.col("author").is_in(job.authors)).with_columns(text)
    kept.sink_parquet(f"{job.to}/kept.parquet", compression="zstd")


run(work, "polars")
