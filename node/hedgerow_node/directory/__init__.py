"""What the node does with records: accept, search, publish, import."""
