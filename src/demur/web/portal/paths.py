"""Where the pages of one objection are.

Invariants: a receipt is reached by a token of its own, which says nothing but the objection's number.
"""

from starlette.requests import Request

from demur.tokens import Purpose
from demur.web.pages import address, desk, language


def receipt_at(request: Request, seq: int, page: str = "") -> str:
    """The path of an objection's receipt, or of a page below it, in the language of the request."""
    return address(language(request), f"/receipt/{desk(request).tokens.make(Purpose.RECEIPT, seq)}{page}")
