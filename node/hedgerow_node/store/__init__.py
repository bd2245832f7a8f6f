"""What the node remembers. The only place that speaks SQL."""
