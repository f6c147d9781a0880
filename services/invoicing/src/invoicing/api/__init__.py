"""The HTTP door of invoicing."""
