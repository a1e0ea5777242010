"""The audit trail: verified, searched, and held against what is recorded."""
