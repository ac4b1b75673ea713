"""Tests of what the extra ``train`` makes possible (`make test-train`): without torch none of them is collected."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]
