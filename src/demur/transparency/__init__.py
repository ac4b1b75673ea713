"""The register as a log that others can check: its tree, checkpoints, tiles and proofs; pure, without a database."""
