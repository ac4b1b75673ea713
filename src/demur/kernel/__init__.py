"""The kernel: one pure function decides about every item, at import, at an objection and at a policy edit.

Invariants: nothing here opens a file, a database or a socket, or loads what does; what decides comes in as values
(:class:`demur.kernel.rules.Rules`), so that the same function runs in any process of any engine. There is no second
implementation of the rules anywhere (design.md, *The flow*).
"""
