"""Prices, the ledger, budgets and limits."""
