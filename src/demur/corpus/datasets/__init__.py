"""The Lance datasets of a workspace: the corpus, and what lies beside it."""
