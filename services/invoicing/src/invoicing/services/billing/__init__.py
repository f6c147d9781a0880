"""From unbilled items to issued invoices: planning (pure over loaded rows), issuing (in bulk), runs."""
