"""Failed exports by cause, what people do with a whole group, and what came of it."""
