"""Words that several commands take."""

KEEP_KINDS = ("email", "phone", "surname", "password", "address")
"""Kinds of private detail that screening withholds unless ``--keep`` names them."""
