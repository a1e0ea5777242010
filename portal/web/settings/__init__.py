"""Pages of administrators: the company, its people, and what goes in and out."""
