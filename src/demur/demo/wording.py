"""The sentences of the page: every reason in words, and what the residual means and does not mean."""

from typing import Final

from demur.demo.items import Wave
from demur.terms import Reason

WAVES: Final = {
    Wave.FIRST.value: "three fifths of the items",
    Wave.MORE.value: "the others, some of them twice",
    Wave.AGAIN.value: "everything once more",
    Wave.CHANGES.value: "what was edited, deleted or made private",
}

REASONS: Final = {
    Reason.SUPERSEDED: "the same import held a later reading of the item",
    Reason.DELETED: "the source said it was gone",
    Reason.UNKNOWN_AUTHOR: "nobody could say who wrote it, so nobody could object",
    Reason.UNKNOWN_KIND: "the source did not say what it was",
    Reason.KIND: "a kind the policy does not use: messages",
    Reason.UNKNOWN_AUDIENCE: "the source did not say who could read it",
    Reason.AUDIENCE: "not everybody could read it: unlisted, followers, group or direct",
    Reason.ORIGIN: "it came from a third party that the policy does not name",
    Reason.UNKNOWN_DATE: "undated, and the policy has a time range",
    Reason.BEFORE_SINCE: "older than the policy's time range",
    Reason.UNKNOWN_REGION: "the author's region is unknown, and the policy lists regions",
    Reason.REGION: "the author lives in a region that the policy does not list",
    Reason.UNKNOWN_AGE: "the author's age is unknown, so they may be a child",
    Reason.MINOR: "the author is, or may be, under age",
    Reason.NOT_TOLD: "no notice reached the author",
    Reason.NOTICE_PERIOD: "the author was told, but not thirty days ago",
    Reason.NO_CONSENT: "only where consent is the legal basis; here it is not",
    Reason.OBJECTED: "the author had objected already; later objections delete, see below",
    Reason.RESHARE: "it passed on the words of somebody who objected, or of a child",
    Reason.QUOTE: "only where the policy drops quotes; here they are masked",
    Reason.MENTION: "only where the policy drops mentions; here they are masked",
    Reason.EMPTY: "no word and no picture was there, or was left",
}

MEANS: Final = (
    "The generator knows who wrote, quoted, reshared, named and tagged whom. A second, independent model of the rules"
    " followed the same story, read the exported Parquet and counted: rows of people who objected, of children or of"
    " anybody the policy leaves out; quotes, reshares, names and keys of people who objected; handles, profile links,"
    " mail addresses, telephone and bank account numbers and IP addresses of anybody; rows that are missing, were"
    " changed or stand there twice; and imports whose account of what they left out is not the true one. The"
    " residual is how many it found."
)

MEANS_NOT: Final = (
    "that names without markup are found, or copies not marked as quotes: this version looks for neither;",
    "that another community would give the same number: people write identifiers in more ways than a generator does;",
    "that a model trained on an earlier version has forgotten anything;",
    "that any use of the corpus is lawful: the controller assesses that, an authority or a court judges it.",
)
