"""Writes docs/openapi.json, the description of the API: run it after a change of the API's routes or models."""  # noqa: INP001  # a script

from pathlib import Path

from demur.web.api.root import served

if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs" / "openapi.json").write_bytes(served())
