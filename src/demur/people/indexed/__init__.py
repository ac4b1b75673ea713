"""The index of names as arrays: how it is built, asked, and kept in a file."""
