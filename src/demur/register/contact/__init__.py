"""What people are told: campaigns, their notices, and single mails."""
