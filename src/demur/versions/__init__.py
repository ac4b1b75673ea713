"""Versions: what is published of the corpus, how it leaves the workspace, and what verifies it later."""
