"""The ERP. `records` speaks of change orders and needs nothing; `connect` gives the client that calls Spectrum."""
