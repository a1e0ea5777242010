"""Failed exports by cause: support and approvers see them in groups, and clear a group at once."""
