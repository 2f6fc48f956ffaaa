"""Every write: synchronous, keyword-only, one durable transaction each, no HTTP and no Claude."""
