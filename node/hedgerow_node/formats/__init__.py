"""Feeds and calendars in, feeds and calendars out: pure functions between text and values."""
