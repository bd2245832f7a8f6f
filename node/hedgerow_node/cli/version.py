"""The version of this installation."""


def version() -> str:
    """As the package says it; ``0`` when it is not installed."""
    from importlib import metadata

    try:
        return metadata.version("hedgerow")
    except metadata.PackageNotFoundError:
        return "0"
