"""The keeper's page: reached only by a one-time link that the command line makes."""
