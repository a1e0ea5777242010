"""Mutation testing of what decides about money: break one expression at a time and see that a test fails.

`make mutants` takes a seeded sample; docs/testing.md says what it found and why each survivor is no gap.
"""
