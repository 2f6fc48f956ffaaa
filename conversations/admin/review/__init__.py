"""Reviewing usage: the dashboard, and the drill-down from a month's sums to a single request."""
