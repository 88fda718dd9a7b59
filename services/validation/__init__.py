"""Validation: the dossier of a fiche, from the Région's avis to Pôle emploi's decision."""
