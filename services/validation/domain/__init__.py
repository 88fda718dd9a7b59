"""The rules of the dossier: pure, without clock, database or broker."""
