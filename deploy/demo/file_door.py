"""The door of files: fiches go in together, as `poec import fiches` sends them; what is warned about is read and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy.demo.agenda import Turn
from deploy.demo.errors import CouldNotPlay
from deploy.demo.http_door import Ask, HttpDoor, Reply
from deploy.demo.moves import body_of
from deploy.demo.pauses import Pause
from deploy.journal import ACCEPTED

DONE: Final = frozenset({"accepted", "unchanged"})
"""Outcomes after which a fiche of a file is filed."""
PAGE: Final = 200


@dataclass
class FileDoor:
    """Sends files of an OPCO over HTTP, each under the same key at every play, and follows them to their end."""

    http: HttpDoor
    opco: str

    async def send(self, turns: Sequence[Turn]) -> None:
        """File the fiches of these turns as one file. Raises `CouldNotPlay` with the codes of what is refused."""
        acknowledged: frozenset[str] = frozenset()
        while left := await self._left(await self._taken(turns, acknowledged)):
            codes = frozenset(said["code"] for line in left for said in line["said"])
            if codes <= acknowledged or any(line["outcome"] != "warned" for line in left):
                raise CouldNotPlay(f"{turns[0].fiche.file}: {len(left)} are not filed, {', '.join(sorted(codes))}")
            acknowledged |= codes

    async def _taken(self, turns: Sequence[Turn], acknowledged: frozenset[str]) -> str:
        """Send the file and wait for its end; return its id."""
        name = str(turns[0].fiche.file)
        path, key = "/imports", f"demo-2021/{self.opco}/import_fiches/{name}"
        if acknowledged:
            codes = ",".join(sorted(acknowledged))
            path, key = f"{path}?acknowledge={codes}", f"{key}/{codes}"
        rows = [body_of(turn) for turn in turns]
        found = _good(
            await self.http.write(Ask(self.opco, "submission", "import_fiches", path, key=key, rows=rows)), name
        )
        pause = Pause(name)
        while found["state"] == "running":
            await pause.longer()
            found = await self._read(f"/imports/{found['import_id']}", name)
        return str(found["import_id"])

    async def _left(self, import_id: str) -> list[dict[str, Any]]:
        """Return the fiches of a file that are not filed."""
        found = await self._read(f"/imports/{import_id}/lines?limit={PAGE}", import_id)
        return [line for line in found["lines"] if line["outcome"] not in DONE]

    async def _read(self, path: str, what: str) -> dict[str, Any]:
        return _good(await self.http.read(self.opco, "submission", path), what)


def _good(reply: Reply, what: str) -> dict[str, Any]:
    if reply.outcome != ACCEPTED:
        raise CouldNotPlay(f"{what}: {reply.outcome} {', '.join(reply.codes)}")
    return reply.body
