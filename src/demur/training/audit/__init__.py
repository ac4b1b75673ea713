"""The audit of a model: what it tells, to whoever asks it, of the people whose rows it was trained on.

The unit is the person: all rows of all their accounts. Audited are members of a run, and people whom the run's key
held out (``demur.training.order.held_out``), who are its non-members. What an audit shows is a lower bound: an attack
that fails says nothing of one that was not tried, and those are listed (EDPB Opinion 28/2024, paras 46, 55 and 58).

Invariants: a number never stands without its unit, how many it is over, and an interval or the reason why it has none;
nothing in a report is a text that a person wrote, or tells who was audited; nobody who objected is audited, as their
rows are not kept for it: theirs is the certificate.
"""
