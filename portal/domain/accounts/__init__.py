"""Accounts: who gets in, by password, link, identity provider or access token, and with which rights."""
