"""The worker: it delivers notices and letters, tells the platform what happened, and lets the corpus follow."""
