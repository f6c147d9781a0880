"""The HTTP door of the booking service."""
