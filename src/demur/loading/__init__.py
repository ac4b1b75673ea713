"""Loading: the rows of a version for training, without those of whoever objected since it was published."""

from demur.loading.loader import Loader
from demur.loading.opening import load
from demur.loading.parts import Part
from demur.loading.watching import CHECK_EVERY, MAX_STALENESS, Seen

__all__ = ["CHECK_EVERY", "MAX_STALENESS", "Loader", "Part", "Seen", "load"]
