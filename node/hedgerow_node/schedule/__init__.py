"""When meetings are held: wall-clock rules, zones, and the instants they come to."""
