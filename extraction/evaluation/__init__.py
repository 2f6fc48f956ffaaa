"""How good extracted data is: held against what is expected, field by field. Pure."""
