"""What to show somebody in a crisis: emergency numbers from a dated list, and lines the community checked itself."""
