"""The message door of the booking service."""
