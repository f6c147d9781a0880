"""The pure rules of invoicing: periods, prices, taxes, totals, numbers and states. No database, web or broker here."""
