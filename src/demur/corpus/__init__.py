"""The corpus: only what may be used now; how items come in, and how it follows the register."""
