"""What the exports of chats have in common: the fields of their records, and text put together with its spans."""
