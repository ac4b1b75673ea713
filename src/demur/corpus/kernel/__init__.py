"""The kernel: one pure function decides about every item, at import, at an objection and at a policy edit.

There is no second implementation of the rules anywhere (design.md, *The flow*).
"""

from demur.corpus.kernel.govern import Answer, govern

__all__ = ["Answer", "govern"]
