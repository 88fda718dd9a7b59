"""Pure: facts of fiches, what they contribute to the counts, the bilan."""
