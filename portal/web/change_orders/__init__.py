"""Pages of the approver: lists, decisions, ways out of trouble."""
