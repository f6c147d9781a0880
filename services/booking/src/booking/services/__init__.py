"""Use cases of the booking service: the only place where its state changes."""
