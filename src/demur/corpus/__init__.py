"""The corpus: only what may be used now; the kernel that decides, versions, exports and what verifies them."""
