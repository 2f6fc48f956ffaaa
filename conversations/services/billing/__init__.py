"""What everything costs: prices, the ledger, budgets and limits."""
