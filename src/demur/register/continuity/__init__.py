"""Whether a register goes on where it was acknowledged: its mark, copies of it, restores, and what they lose."""
