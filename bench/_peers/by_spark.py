"""The job in PySpark's own functions, on local threads."""

from _job import MAIL, MASKED_MAIL, MASKED_PERSON, MASKED_PHONE, PHONE, Job, run
from pyspark.sql import SparkSession
from pyspark.sql import functions as sf


def work(job: Job) -> None:
    """An anti-join with a small table, and three expressions."""
    builder = SparkSession.builder.master(f"local[{job.workers}]").config("spark.ui.enabled", "false")
    for key in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(key, "127.0.0.1")
    spark = builder.config("spark.driver.memory", "4g").getOrCreate()
    out = sf.broadcast(spark.createDataFrame([(each,) for each in job.authors], "author string"))
    text = sf.col("text")
    for pattern, mask in ((MAIL, MASKED_MAIL), (PHONE, MASKED_PHONE), (job.handles, MASKED_PERSON)):
        text = sf.regexp_replace(text, pattern, mask)
    kept = spark.read.parquet(*job.parts).join(out, "author", "left_anti").withColumn("text", text)
    kept.write.mode("append").option("compression", "zstd").parquet(job.to)
    spark.stop()


run(work, "pyspark")
