"""The pure rules of booking (DOMAIN.md sections 8 to 10): no framework, no database, no clock of their own."""
