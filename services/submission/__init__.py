"""Submission: the fiche as its OPCO sees it, from its filing to its sessions."""
