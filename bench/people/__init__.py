"""Judges of the finder of people in others' words: a synthetic forum, hard cases, and the scoring of what was masked.

They were written before the finder and from tables of their own. They never import it, and it never reads them.
"""
