"""The settings of analytics: those of every service, with a longer wait for bigger batches."""

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything a process of analytics reads from its environment."""

    inbox_linger_ms: int = Field(
        200, description="How long the consumer waits between reads: nobody waits for a count as for an answer."
    )
