"""What whoever reported what a model said is answered: the words, which the page and the mail share.

Invariants: each outcome of a test has words, and none of them says whose rows hold anything, or that a model can't say
something; that something was not found is told as that, with what was looked at.
"""

from collections.abc import Mapping
from typing import Final

from demur.notices.languages import N_
from demur.notices.words import speaker
from demur.register import JSON, Outcome

_FOUND: Final[Mapping[Outcome, str]] = {
    Outcome.REPRODUCED: N_("When we tested it, the model said the same again."),
    # Translators: "these words" are what somebody told us that a model (AI) said.
    Outcome.HELD: N_("These words, or some of them, stand in the data that the model was trained on."),
    Outcome.NOT_FOUND: N_("We did not find these words in the data that the model was trained on."),
}


def answered(result: Mapping[str, JSON], language: str) -> tuple[str, ...]:
    """What the entry of a test says, in sentences.

    Args:
        result: its payload: `outcome`, and `asked`, how often the model was asked.
        language: one of LANGUAGES.
    """
    _, outcome = speaker(language), Outcome(str(result["outcome"]))
    sentences = [_(_FOUND[outcome])]
    if outcome is not Outcome.REPRODUCED:
        if result.get("asked"):
            sentences.append(_("We also asked the model. It did not say the same again."))
        sentences.append(_("This is no proof that it never says it."))
    return tuple(sentences)
