"""Use cases of the payments service: the only place where its state changes."""
