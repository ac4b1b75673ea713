"""ActivityStreams 2.0 (W3C), whatever exports it: its values, its texts, and the items they make."""
