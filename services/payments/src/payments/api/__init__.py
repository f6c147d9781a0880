"""The HTTP door of the payments service."""
