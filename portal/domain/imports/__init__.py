"""Change orders from files: matched, staged, confirmed and put in place."""
