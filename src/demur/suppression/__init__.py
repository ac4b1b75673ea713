"""From the register to a suppression list, and the question it answers: may this person's content be used?"""

from demur.suppression.keyset import KeySet
from demur.suppression.lists import SuppressionList, find_list

__all__ = ["KeySet", "SuppressionList", "find_list"]
