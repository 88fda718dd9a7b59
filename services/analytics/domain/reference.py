"""Figures that no event carries: what Pôle emploi says of all dispositifs, by year (minutes L83-100)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class AllAis:
    """AIS of a year in Normandie, by dispositif: what a share is a share of."""

    prf: int
    autonomous_cpf: int
    poec: int
    others: int

    @property
    def total(self) -> int:
        """Return the AIS of all dispositifs."""
        return self.prf + self.autonomous_cpf + self.poec + self.others

    @property
    def without_cpf(self) -> int:
        """Return the AIS of all dispositifs but the autonomous CPF."""
        return self.total - self.autonomous_cpf


ALL_AIS: Final[dict[int, AllAis]] = {2021: AllAis(prf=21_850, autonomous_cpf=27_258, poec=1_679, others=10_051)}
"""2021: 60,838 in all (minutes L84), of which PRF 21,850 (L97); the autonomous CPF and the others are derived (L93)."""
