"""Mail that was promised: what it says, and what becomes of it."""
