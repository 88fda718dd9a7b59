"""What became of a group, as its OPCO returns it at the end of a session and three months after: figures only, nobody in them."""

from typing import Annotated

from pydantic import Field

from shared.contracts.fiche import Count, Value
from shared.contracts.references import PlacementContract, PlacementMoment

People = Annotated[int, Field(ge=0, le=500)]


class Placed(Value):
    """So many people found a job under one kind of contract."""

    contract: PlacementContract
    count: People


class Placements(Value):
    """One return: people who finished, those who found a job by kind of contract, companies asked, answering and satisfied.

    Source: ministry sheet on the POEC (the OPCO gives the review and the placements at the end and three months after).
    """

    moment: PlacementMoment
    finishing: People
    placed: Annotated[tuple[Placed, ...], Field(max_length=len(PlacementContract))] = ()
    companies_asked: Count = 0
    companies_answered: Count = 0
    companies_satisfied: Count = 0

    @property
    def placed_people(self) -> int:
        """Return how many found a job, under whatever contract."""
        return sum(one.count for one in self.placed)
