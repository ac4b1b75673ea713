"""One file per revision: rNNNN_what_it_brings.py."""
