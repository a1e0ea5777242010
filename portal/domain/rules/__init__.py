"""Rules that a change order must meet, who may decide about it, and what the rules know of Spectrum."""
