"""demur: train AI on your community's content, keep everyone who said no out of it, and prove it."""
