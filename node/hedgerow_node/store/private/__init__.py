"""What ``private.db`` holds: accounts, devices, rooms and mailboxes. No names, no words, no addresses."""
