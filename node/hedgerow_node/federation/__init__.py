"""Rooms across nodes: what this node and those of other members owe each other, as letters over the peer network."""
