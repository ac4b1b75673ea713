"""Who may come in: staff, the API's keys, and sessions."""
