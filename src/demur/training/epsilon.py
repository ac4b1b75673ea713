"""What noise is worth: epsilon of one Gaussian release, and of several of them.

A release adds noise of standard deviation sigma times what one person can move it by. It is (epsilon, delta)-private
for exactly ``delta = F(1 / 2s - e s) - exp(e) F(-1 / 2s - e s)``, F the normal distribution, s sigma and e epsilon
(Balle and Wang 2018, *Improving the Gaussian mechanism*, theorem 8). Several releases, each chosen after those before,
are one with sigma over the root of their number (Dong, Roth and Su 2022, *Gaussian differential privacy*, corollary
3.3). It is a closed form, and the value that accountants such as dp-accounting approach.
"""

import math
from typing import Final

_HALVINGS: Final = 200
_MOST: Final = 600.0
"""An epsilon above which it is called endless: ``exp`` of it is a number still."""


def epsilon(sigma: float, delta: float, releases: int = 1) -> float:
    """The epsilon of so many releases, for one person; infinite without noise.

    Args:
        sigma: standard deviation of the noise over what one person can move a release by, 0 or more.
        delta: the probability that epsilon does not bound, above 0 and below 1.
        releases: how many that person stands in.
    """
    if not releases:
        return 0.0
    one = sigma / math.sqrt(releases)
    if not one or _delta(one, _MOST) > delta:
        return math.inf
    low, high = 0.0, _MOST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _delta(one, middle) > delta else (low, middle)
    return high


def worth(sigma: float, delta: float, releases: int) -> str:
    """One sentence that says epsilon with its unit, delta, and what it is of."""
    times = "one release" if releases == 1 else f"{releases:,} releases"
    said = epsilon(sigma, delta, releases)
    return f"Differential privacy: epsilon {said:.3g} for a person at delta {delta:g}, for {times}."


def _delta(sigma: float, bound: float) -> float:
    return _normal(0.5 / sigma - bound * sigma) - math.exp(bound) * _normal(-0.5 / sigma - bound * sigma)


def _normal(value: float) -> float:
    return math.erfc(-value / math.sqrt(2)) / 2
