"""Chats: an adapter for each program whose export or logs are read, and what they have in common (common.py)."""
