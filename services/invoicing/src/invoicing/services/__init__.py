"""The use cases of invoicing: the only place where a transaction changes state."""
