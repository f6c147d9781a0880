"""Plumbing shared by all services: no business word lives here."""
