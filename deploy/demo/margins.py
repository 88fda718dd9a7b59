"""What the year must add up to.

Totals come from the minutes of the commission (209 validated L106, 187 engaged L107, 339 h L107, 1,679 AIS L83, about 9 M€ L110-111);
"OPCO 2i = 10", "Santé and Commerce below 10", "EP above 12", "AKTO far above" too (L102-105, L231). Every other split is invented.
"""

from typing import Final

YEAR: Final = 2021

VALIDATED: Final[dict[str, int]] = {
    "akto": 84,
    "opco-ep": 20,
    "constructys": 15,
    "opco-mobilites": 13,
    "opco-2i": 11,
    "uniformation": 14,
    "ocapiat": 14,
    "atlas": 13,
    "afdas": 12,
    "opco-sante": 7,
    "lopcommerce": 6,
}
"""Fiches validated, by OPCO: 209."""

ENGAGED: Final[dict[str, int]] = {
    "akto": 77,
    "opco-ep": 18,
    "constructys": 12,
    "opco-mobilites": 12,
    "opco-2i": 10,
    "uniformation": 12,
    "ocapiat": 12,
    "atlas": 12,
    "afdas": 11,
    "opco-sante": 6,
    "lopcommerce": 5,
}
"""Sessions engaged, by OPCO: 187."""

AIS: Final[dict[str, int]] = {
    "akto": 693,
    "opco-ep": 162,
    "constructys": 108,
    "opco-mobilites": 105,
    "opco-2i": 88,
    "uniformation": 108,
    "ocapiat": 108,
    "atlas": 107,
    "afdas": 99,
    "opco-sante": 55,
    "lopcommerce": 46,
}
"""AIS net of cancelled ones, by OPCO: 1,679."""

ENGAGED_BY_MONTH: Final = (8, 11, 14, 22, 14, 15, 5, 5, 19, 26, 27, 21)
"""Sessions engaged by month of their start, January first: 187; peaks in April and October-November (minutes L150-162)."""

AIS_BY_MONTH: Final = (70, 97, 124, 203, 124, 132, 43, 44, 170, 236, 247, 189)
"""AIS net by month of the session's start: 1,679."""

HOURS: Final[dict[int, int]] = {434: 4, 400: 1, 399: 13, 385: 10, 350: 96, 315: 38, 280: 20, 210: 5}
"""Hours of one trainee to number of engaged sessions: 187 sessions, 63,393 hours, mean exactly 339."""

COMMITTED_CENTS: Final = 4_800_000
"""Teaching cost of one session in euro cents: 187 of them make 8,976,000 €."""

NOT_ENGAGED: Final[tuple[tuple[str, str], ...]] = (
    *(("akto", "ENVELOPPE"),) * 3,
    *(("akto", "SOURCING_INSUFFISANT"),) * 3,
    ("akto", "NEXT_YEAR"),
    ("opco-ep", "SOURCING_INSUFFISANT"),
    ("opco-ep", "NEXT_YEAR"),
    ("constructys", "SOURCING_INSUFFISANT"),
    ("constructys", "BESOIN_DISPARU"),
    ("constructys", "NEXT_YEAR"),
    ("opco-mobilites", "SOURCING_INSUFFISANT"),
    ("opco-2i", "SOURCING_INSUFFISANT"),
    ("uniformation", "SOURCING_INSUFFISANT"),
    ("uniformation", "NEXT_YEAR"),
    ("ocapiat", "SOURCING_INSUFFISANT"),
    ("ocapiat", "BESOIN_DISPARU"),
    ("atlas", "SOURCING_INSUFFISANT"),
    ("afdas", "BESOIN_DISPARU"),
    ("opco-sante", "SOURCING_INSUFFISANT"),
    ("lopcommerce", "SOURCING_INSUFFISANT"),
)
"""The 22 validated and not engaged, by OPCO and motive; `NEXT_YEAR` = postponed to 2022; the envelope is temporary work's."""

REFUSED: Final[dict[str, int]] = {
    "akto": 4,
    "opco-ep": 1,
    "constructys": 1,
    "opco-mobilites": 1,
    "ocapiat": 1,
    "atlas": 1,
}
"""Fiches refused by Pôle emploi, by OPCO: 9."""

WITHDRAWN: Final[dict[str, int]] = {"akto": 3, "opco-ep": 1, "uniformation": 1, "afdas": 1, "lopcommerce": 1}
"""Fiches withdrawn by their OPCO before any decision: 7."""

COMPLETED_ONCE: Final = 14
ADAPTATIONS: Final = {"accepted": 8, "declined": 2, "countered": 1}
AIS_CANCELLED: Final = 118
AVIS: Final = {"COMPLEMENTAIRE": 187, "COMPLEMENTAIRE_SOUS_ADAPTATION": 26, "CONCURRENT": 7}
"""Last avis of the 220 fiches that got one: 85.0, 11.8 and 3.2 %."""

POSTPONED_WITHIN_YEAR: Final = (
    ("2021-03-15", "2021-06-07"),
    ("2021-01-25", "2021-02-08"),
    ("2021-04-26", "2021-05-10"),
    ("2021-06-28", "2021-07-05"),
    ("2021-09-27", "2021-10-11"),
    ("2021-10-25", "2021-11-08"),
)
"""First and final start of the six sessions postponed within the year across a month; the first lapses its avis (rule 8)."""

POSTPONED_TO_NEXT_YEAR: Final = (
    ("2021-12-06", "2022-01-03"),
    ("2021-12-13", "2022-01-10"),
    ("2021-11-15", "2022-01-24"),
    ("2021-10-18", "2022-01-10"),
)
"""First and final start of the four sessions that went to 2022; the last two lapse their avis."""

DECLARED_2022: Final[dict[str, int]] = {
    "akto": 70,
    "opco-ep": 17,
    "constructys": 13,
    "opco-mobilites": 13,
    "opco-2i": 10,
    "uniformation": 11,
    "ocapiat": 11,
    "atlas": 11,
    "afdas": 9,
    "opco-sante": 7,
    "lopcommerce": 6,
}
"""Projects that OPCOs declare for 2022, by OPCO: 178 (minutes L209-212); the split is invented."""

FILED_TOGETHER: Final = ("akto", "2021-06-21", "2021-07-05")
"""Whose fiches of which days, first and last, come as one file on the first of them."""

RETURNED: Final[dict[str, tuple[int, int, int]]] = {
    "OPCO-2I-2021-001": (8, 4, 6),
    "OPCO-2I-2021-003": (9, 5, 7),
    "OPCO-2I-2021-004": (8, 5, 6),
    "OPCO-2I-2021-005": (7, 3, 5),
    "OPCO-2I-2021-006": (9, 6, 7),
}
"""Fiche to the people of its session who finished, and who had a job at the end and three months after."""

INTENDED_2022: Final = (("H2902", "Chaudronnier", 10), ("I1304", "Agent de maintenance industrielle", 12))
"""Job, title and seats of what OPCO 2i means to train for in 2022 and has not filed when the year ends."""

RENEWED: Final = ("OPCO-2I-2021-001", "OPCO-2I-2022-001")
"""The fiche that is taken up again, and the draft that it is taken up as."""
