"""What people are told: notices and mails, generated from demur.toml, in the languages of Europe."""
