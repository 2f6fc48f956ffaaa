"""Evidence: the places of extracted values in the sources, verified against the sources' text. Pure."""
