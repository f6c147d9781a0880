"""The HTTP door of the members service."""
