"""How names are found in a page: the words of names, what stands around them, and how much that says."""
