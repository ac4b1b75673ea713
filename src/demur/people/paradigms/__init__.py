"""How names change by case: for each language the forms of one word, by suffix rules and changes of its stem.

The rules are tables where endings alone decide, and code where the sounds of the whole word do.
"""

from demur.people.paradigms.choosing import CYRILLIC, GREEK, LANGUAGES, inflected
from demur.people.paradigms.table import Use

__all__ = ["CYRILLIC", "GREEK", "LANGUAGES", "Use", "inflected"]
