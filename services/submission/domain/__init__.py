"""The rules of the fiche: pure, without clock, database or broker."""
