"""The garden gate: pumps between sockets and the protocol's machine. No rule of the protocol is decided here."""
