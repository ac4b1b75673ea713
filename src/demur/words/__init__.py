"""Folded words of texts, keyed, with their places: what people and copies are found by.

Invariants: pure, without input or output; a word's fold is the same however it was disguised (letters.py, shapes.py);
what a text's words are depends on that text alone, never on what shares its batch (batch.py); words leave as keyed
hashes, which only the workspace can make (keys.py).
"""
