"""The database of the register: its entries and tables, what is sealed in them, and the mark beside it."""
