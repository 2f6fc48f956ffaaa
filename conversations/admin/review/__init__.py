"""Reviewing usage: the dashboard, and the way down from a month's sums to a single request."""
