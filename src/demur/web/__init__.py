"""The portal, the API and the officer's pages: what people, platforms and staff reach over HTTP."""
