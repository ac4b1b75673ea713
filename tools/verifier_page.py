"""Writes the digests of its script and its style into the policy of `demur-verify.html`, after either was changed.

Run it as ``python tools/verifier_page.py``. The page's Content Security Policy (Level 3) names both by SHA-256, so
that a browser runs this script and no other, whatever a receipt holds; a test holds the file against what this writes.
"""  # noqa: INP001  # a script

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).resolve().parents[1] / "clients" / "verify" / "demur-verify.html"


def sealed(page: str) -> str:
    """The page with the digests that its parts have.

    Raises:
        ValueError: when it has not exactly one of each part.
    """
    for part in ("script", "style"):
        found = re.findall(f"<{part}>(.*?)</{part}>", page, re.DOTALL)
        if len(found) != 1:
            raise ValueError(f"The page has {len(found)} elements {part!r}: it needs one.")
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        page = re.sub(f"{part}-src 'sha256-[^']*'", f"{part}-src 'sha256-{digest}'", page)
    return page


if __name__ == "__main__":
    PAGE.write_text(sealed(PAGE.read_text("utf-8")), "utf-8")
