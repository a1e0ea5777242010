"""Pages of the project team: jobs, commitments, and the form of a change order."""
