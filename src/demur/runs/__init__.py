"""What is kept of a training run: its folder, who is in it, what serves, and what the register says of it; no torch.

A *run* is a name under ``models/``; each training or replay of it is a *model*, numbered from ``0001``. The steps of a
model's plan are numbered from 0, and checkpoint S holds the state after S steps: it has seen the rows of the steps
before S and no others, so that checkpoint 0 is the base, which never saw anybody.
"""
