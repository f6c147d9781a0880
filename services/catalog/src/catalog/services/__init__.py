"""Use cases of the catalog: the only place where its state changes."""
