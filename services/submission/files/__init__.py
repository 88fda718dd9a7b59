"""Fiches in files: the columns of a table, what is read out of a file, the template to fill in, the report to take home."""
