"""Use cases of the members service: the only place where its state changes."""
