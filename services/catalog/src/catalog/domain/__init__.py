"""Rules of the catalog, without input or output."""
