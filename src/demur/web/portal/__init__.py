"""The public pages: what we use and why, objecting, receipts, and what would be used of a member."""
