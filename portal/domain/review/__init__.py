"""What the approver sees and decides."""
