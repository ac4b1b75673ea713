"""The job as one statement of DuckDB."""

import duckdb
from _job import MAIL, MASKED_MAIL, MASKED_PERSON, MASKED_PHONE, PHONE, Job, run


def work(job: Job) -> None:
    """One COPY."""
    with duckdb.connect() as connection:
        connection.execute(f"SET threads = {job.workers}")
        connection.execute("CREATE TABLE out (author TEXT)")
        connection.execute("INSERT INTO out SELECT unnest(?)", [job.authors])
        text = "text"
        for pattern, mask in ((MAIL, MASKED_MAIL), (PHONE, MASKED_PHONE), (job.handles, MASKED_PERSON)):
            text = f"regexp_replace({text}, '{pattern}', '{mask}', 'g')"
        kept = f"SELECT * REPLACE ({text} AS text) FROM '{job.folder}/*.parquet' ANTI JOIN out USING (author)"
        connection.execute(f"COPY ({kept}) TO '{job.to}/kept.parquet' (FORMAT parquet, COMPRESSION zstd)")


run(work, "duckdb")
