"""Running batches: exchanging data with Anthropic, progress, and reading results."""
