"""What runs outside a request: the keeper, the workers and what they do."""
