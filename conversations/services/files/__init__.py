"""What users upload: stored once by its bytes, checked, removed."""
