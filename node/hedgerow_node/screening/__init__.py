"""Finds and withholds what would break somebody's anonymity, before anything is signed."""
