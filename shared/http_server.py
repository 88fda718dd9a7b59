"""The HTTP server of a process: uvicorn with our protocol, our edge, and nothing believed that a client says of itself."""

import uvicorn
from fastapi import FastAPI

from shared.edge import Doorway, host_names
from shared.settings import ServiceSettings
from shared.wire import WireLimits, allow_descriptors, wire_protocol


def new_server(app: FastAPI, settings: ServiceSettings) -> uvicorn.Server:
    """Return the HTTP server of a process; where its limits are kept is `shared.wire`."""
    limits = WireLimits(
        receive_seconds=settings.receive_seconds,
        connections=settings.connections,
        connections_per_address=settings.connections_per_address,
    )
    allow_descriptors(limits.connections)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            settings.http_host,
            settings.http_port,
            http=wire_protocol(limits, doorway_of(settings)),
            ws="none",
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies,
            date_header=True,
            timeout_graceful_shutdown=10,
            timeout_keep_alive=75,
        )
    )


def doorway_of(settings: ServiceSettings) -> Doorway:
    """Return under which names a process answers."""
    return Doorway(host_names(settings.public_hosts, settings.public_url), settings.public_url.startswith("https://"))
