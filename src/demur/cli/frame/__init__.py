"""The frame around every command: its two options, what it prints, what follows, and how a failure reads."""
