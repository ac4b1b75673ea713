"""Networks that attacks are tried on, each trained once."""

import pytest
from learnt import Learnt, learnt
from trainable import Community

from demur.training.tokenizer import Tokenizer


@pytest.fixture(scope="session")
def tokenizer(community: Community) -> Tokenizer:
    return community.run().tokenizer


@pytest.fixture(scope="session")
def duplicated(tokenizer: Tokenizer) -> Learnt:
    """Trained on each row four times; no canary was planted."""
    return learnt(tokenizer, 4, canaries=False)


@pytest.fixture(scope="session")
def planted(tokenizer: Tokenizer) -> Learnt:
    """Trained on each row once, and on canaries."""
    return learnt(tokenizer, 1, canaries=True)
