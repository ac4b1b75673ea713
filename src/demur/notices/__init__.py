"""What people are told: notices and letters, generated from demur.toml, in the languages of Europe."""
