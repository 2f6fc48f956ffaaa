"""Files of results: JSON lines, CSV and XLSX. Pure, except for the folder of a workbook."""
