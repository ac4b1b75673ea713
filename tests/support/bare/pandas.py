"""In front of pandas where tests start processes: there demur runs as it is installed, and pandas is no part of it.

Where pandas is there, Arrow loads it with its first array, which takes longer than most commands.
"""

raise ImportError("a process that a test starts has no pandas")
