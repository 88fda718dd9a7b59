"""Tells each service who the local clients and people are: through its door, as its administrator; rows that are there stay as they are."""

import asyncio
from typing import Any

import httpx

from deploy.local.client import bearer
from deploy.local.clients import ADMINISTRATOR
from deploy.local.errors import LocalError
from deploy.local.people import ACCOUNTS
from deploy.local.runfile import Run


async def register_clients(run: Run) -> None:
    """Add the clients that a service does not know yet; LocalError names the service that did not take them."""
    headers = await asyncio.to_thread(bearer, run, ADMINISTRATOR)
    async with httpx.AsyncClient(headers=headers, timeout=30) as client:
        await asyncio.gather(*(_register(client, run, name) for name in run.services))


async def _register(client: httpx.AsyncClient, run: Run, service: str) -> None:
    url = f"{run.services[service].url}/principals"
    known = {row["id"] for row in (await _asked(client, service, "GET", url))["principals"]}
    missing = [row for row in _rows(run) if row["id"] not in known]
    if missing:
        await _asked(client, service, "PUT", url, {"principals": missing})


def _rows(run: Run) -> list[dict[str, Any]]:
    machines = [
        {"id": one.client_id, "kind": "machine", "organisation": one.organisation, "roles": list(one.roles)}
        for one in run.clients.values()
    ]
    people = [
        {"id": one.id, "kind": "person", "organisation": one.organisation, "roles": list(one.roles), "login": one.login}
        for one in ACCOUNTS.values()
    ]
    return [*machines, *people]


async def _asked(
    client: httpx.AsyncClient, service: str, method: str, url: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    try:
        answer = await client.request(method, url, json=body)
        answer.raise_for_status()
    except httpx.HTTPStatusError as refusal:
        raise LocalError(f"{service} did not take the local clients ({refusal.response.status_code}).") from None
    except httpx.HTTPError as failure:
        raise LocalError(f"{service} did not take the local clients ({type(failure).__name__}).") from None
    found: dict[str, Any] = answer.json()
    return found
