"""Rules of the members service, without input or output."""
