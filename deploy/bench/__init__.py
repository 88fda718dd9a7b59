"""Measurements: how fast a fiche travels, beside the floor measured in the same run. Ratios, because machines are noisy."""
