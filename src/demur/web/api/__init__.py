"""The API for the platform: what its own switch, settings page and back office call."""
