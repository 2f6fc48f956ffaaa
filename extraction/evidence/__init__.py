"""Evidence: where in the sources the values of extracted data stand, checked against the sources' text. Pure."""
