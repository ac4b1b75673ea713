"""The staff's pages: passkeys, the officer's queue, letters, coverage. In English."""
