"""What people may ask for besides objecting: a copy of what is held of them, its erasure, a proof that they are out."""
