"""What people may ask for besides objecting: a copy of what is held of them, and its erasure."""
