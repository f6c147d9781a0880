"""The same job done by other libraries: publish with confirms, run a handler; no database, at least once."""
