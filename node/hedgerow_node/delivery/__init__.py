"""The delivery service: KeyPackages, Welcomes, the rooms' logs, mailboxes and files, all of it ciphertext."""
