"""Tables of any format: their files and queries read as batches, and their columns cast to what is asked for."""
