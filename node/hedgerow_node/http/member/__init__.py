"""The members' side of the street door: accounts, devices, rooms and the live socket, for programs with a token."""
