"""The pure rules of collection (DOMAIN.md section 7): no web framework, no database, no provider."""
