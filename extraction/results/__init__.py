"""The results of many extractions as files: JSON lines, CSV and XLSX. Pure, but for the folder of a workbook."""
