"""Laws 2 and 5: the order of events does not matter, and everything is accounted for.

A machine plays a small community: imports, objections, links, members, consents, policy edits, passing days,
publishing and maintenance in any order, against a real workspace. Some of what people say is drawn as an export of a
chat in Slack or Telegram, and comes in as its adapter reads it. After every step the corpus must be, row for row,
what each item's *last reading* gives when it is governed afresh under everything that has been forbidden since that
reading. What is allowed again comes back only with the next reading: so the model adds up prohibitions since then.
"""

import os

import pytest
from hypothesis import settings
from neighbourhood import Community

EXAMPLES = settings().max_examples if "DEMUR_EXAMPLES" in os.environ else 3  # one takes a second and more
Community.TestCase.settings = settings(stateful_step_count=12, max_examples=EXAMPLES)
TestCommunity = pytest.mark.law(Community.TestCase)
