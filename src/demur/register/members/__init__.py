"""Accounts, the people whom links make of them, and what members say of themselves."""
