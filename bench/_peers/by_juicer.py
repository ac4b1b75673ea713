"""The job by Data-Juicer's own operators, from a recipe."""

import json
from pathlib import Path

from _job import MASKED_MAIL, MASKED_PERSON, MASKED_PHONE, Job, run
from data_juicer.config import init_configs
from data_juicer.core import DefaultExecutor

ONLY = ("paths", "secrets", "ids", "id_cards", "channel_ids", "platform_open_ids", "pem", "jwt", "urls", "macs")
"""Of its redaction, what nobody asked for here."""


def work(job: Job) -> None:
    """A recipe of three operators."""
    redaction = {f"mask_{each}": False for each in ONLY}
    redaction |= {"email_replacement": MASKED_MAIL, "phone_replacement": MASKED_PHONE}
    recipe = {
        "project_name": "peers",
        "dataset_path": job.folder,
        "export_path": f"{job.to}/kept.parquet",
        "export_type": "parquet",
        "np": job.workers,
        "open_tracer": False,
        "use_cache": False,
        "skip_op_error": False,
        "process": [
            {"specified_field_filter": {"field_key": "author", "target_value": job.authors, "reversed_range": True}},
            {"pii_redaction_mapper": redaction},
            {"replace_content_mapper": {"pattern": job.handles, "repl": MASKED_PERSON}},
        ],
    }
    path = Path(f"{job.to}.recipe.yaml")
    path.write_text(json.dumps(recipe))  # which is YAML, too
    DefaultExecutor(init_configs(["--config", str(path)])).run()


if __name__ == "__main__":
    run(work, "py-data-juicer")
