"""Models that follow objections: the figures of docs/models.md.

Run ``python bench/models.py WHAT [NUMBER]``; all but `cost` take minutes of a quiet core:

- ``exact [TRIALS]``: whether replay and training from scratch give the same bytes; by default 200.
"""

import sys
import _replay_exact as exact
exact.show(int(sys.argv[2]))
