"""What is a person's own: read for them, and destroyed for them."""
