"""Reads the files beside this module, once each: codes to what is known of them. Origin and licences in `README.md`."""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from services.submission.domain.case import NationalDerogation

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Commune:
    """A commune of Normandie as INSEE counts it: name, department, arrondissement, employment zone (ZE2020), people."""

    name: str
    department: str
    arrondissement: str
    zone_emploi: str
    postal_codes: tuple[str, ...]
    population: int


@dataclass(frozen=True, slots=True)
class Arrondissement:
    """An arrondissement of Normandie and its department."""

    name: str
    department: str


@dataclass(frozen=True, slots=True)
class Formacode:
    """A Formacode's label and the NSF group it corresponds to."""

    label: str
    nsf: str


@cache
def communes() -> Mapping[str, Commune]:
    """Return the communes by INSEE code."""
    zones = {row["code_insee"]: row["zone_emploi"] for row in _rows("zones_emploi_2020.csv")}
    return {
        row["code_insee"]: Commune(
            name=_typographic(row["nom"]),
            department=row["departement"],
            arrondissement=row["arrondissement"],
            zone_emploi=zones[row["code_insee"]],
            postal_codes=tuple(row["codes_postaux"].split()),
            population=int(row["population"]),
        )
        for row in _rows("communes_normandie.csv")
    }


@cache
def arrondissements() -> Mapping[str, Arrondissement]:
    """Return the arrondissements by code."""
    return {row["code"]: Arrondissement(row["nom"], row["departement"]) for row in _rows("arrondissements.csv")}


@cache
def rome() -> Mapping[str, str]:
    """Return the labels of jobs by ROME code."""
    return _labels("rome_532_v3.csv", "code")


@cache
def nsf() -> Mapping[str, str]:
    """Return the labels of the groups of training specialities by NSF code."""
    return _labels("nsf.csv", "code")


@cache
def formacodes() -> Mapping[str, Formacode]:
    """Return the usual Formacodes of POECs; the whole thesaurus is not here, so that a code beside these is not unknown."""
    return {row["code"]: Formacode(row["libelle"], row["nsf"]) for row in _rows("formacodes_usuels.csv")}


@cache
def branches() -> Mapping[str, str]:
    """Return the labels of the branches whose OPCO is known, by IDCC."""
    return _labels("branches.csv", "idcc")


@cache
def derogations() -> tuple[NationalDerogation, ...]:
    """Return the national derogations from the 400 hours."""
    return tuple(
        NationalDerogation(
            reference=row["reference"],
            title=row["titre"],
            rome=row["rome"],
            cap_hours=int(row["plafond_heures"]),
            since=dt.date.fromisoformat(row["depuis"]),
        )
        for row in _rows("derogations.csv")
    )


def _labels(file: str, column: str) -> dict[str, str]:
    return {row[column]: _typographic(row["libelle"]) for row in _rows(file)}


def _typographic(label: str) -> str:
    """Return a label as it is printed: the files of origin have the typewriter's apostrophe and dots."""
    return label.replace("'", "’").replace(", ...", "…")


def _rows(file: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / file).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=";")
