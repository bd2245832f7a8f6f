"""Rooms across nodes, simulated: ten nodes, thirty rooms, one process, virtual time. :mod:`.society` runs a seed."""
