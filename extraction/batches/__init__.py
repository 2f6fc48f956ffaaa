"""Batches at work: exchanging with Anthropic, how far they are, and reading their results."""
