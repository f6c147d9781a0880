"""Use cases of the notifications service: the only place where its state changes."""
