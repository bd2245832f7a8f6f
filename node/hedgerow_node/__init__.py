"""One community's node: what it does, remembers and shows. See docs/architecture.md for its floors."""
