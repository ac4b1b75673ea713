"""What forums write their posts in, and what its quotes and mentions say of whom."""
