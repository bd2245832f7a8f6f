"""Where simulated nodes are, and where their dials seem to come from."""


def home(number: int) -> str:
    """The web address of a node: each in a neighbourhood of its own."""
    return f"https://n{number}.example"


def source(number: int) -> str:
    """Where a node's own dials come from: addresses for documentation (RFC 9637), of a neighbourhood each."""
    return f"[3fff:{number % 4096:x}::9]:40000"
