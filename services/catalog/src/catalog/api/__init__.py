"""The HTTP door of the catalog."""
