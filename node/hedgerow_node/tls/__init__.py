"""The node's own certificate authority, for a local network: it vouches for the names chosen here and for no others."""
