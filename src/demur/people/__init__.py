"""People whom a text names: reading how a name is spelt, its forms, and what is kept of it."""
