"""The staff's pages: passkeys, the officer's queue, letters that came in, what there is to oversee. In English."""
