"""What people who run the portal watch: the facts, and what they come to."""
