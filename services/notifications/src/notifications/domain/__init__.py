"""Rules of the notifications service, without input or output."""
