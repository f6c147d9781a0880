"""How a webhook leaves the house."""
