"""The synthetic year 2021, and how it is played through the real doors."""
