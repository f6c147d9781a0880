"""Payment providers behind one port (PAY-6): nothing outside this package speaks a provider's language."""
