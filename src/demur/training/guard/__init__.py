"""The output guard: what a model says is searched for names and words of withheld people before it leaves.

It is a mitigation, and no more: it takes nothing out of a model, it finds what the kernel finds in a text by names and
fingerprints, and whoever paraphrases passes (docs/models.md has the rates). What takes somebody out is the replay.
"""
