"""What the node decides about rooms it cannot read: the log and its hashes, whose commit is first, what is kept."""
