"""The rules of the catalogue: pure, no clock, no database."""
