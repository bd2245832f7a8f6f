"""How listings reach every node: sessions, mesh, reconciliation, peers. The door is :class:`machine.Gossip`."""
