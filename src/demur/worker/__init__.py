"""The worker: it delivers notices and mails, tells the platform what happened, and lets the corpus follow."""
