"""Claims that a model repeats somebody's data: taken in, tested against the runs, answered.

Anybody can lodge one, and needs neither an account nor a proof nor a reason (EDPB, Opinion 28/2024). A test says what
was found and what was looked at; an officer answers.
"""
