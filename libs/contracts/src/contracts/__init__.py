"""The messages that services exchange: one class and one golden example per message version."""
