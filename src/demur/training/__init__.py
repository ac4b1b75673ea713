"""Language models trained on a version, so that a later objection can be replayed exactly.

Invariants: this package alone imports torch and what stands on it, and can be imported without the extra ``train``:
order, plan, configuration and log load none of it. The state after a step follows from the base, the configuration, the
environment and the rows of the steps so far, and from nothing else: neither from the rows to come, nor from the
process, nor from how often it was interrupted.
"""
