"""Pages of the approver: lists, decisions, resolutions."""
