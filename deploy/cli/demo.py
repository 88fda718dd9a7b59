"""`poec demo`: plays the year 2021 through the real doors, then shows the bilan and the audit."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.asked import Home, Json, Tls
from deploy.cli.console import explain, print_json, reporter, stderr_console, stdout_console
from deploy.local.errors import LocalError
from deploy.local.lifecycle import wait_for_other
from deploy.local.report import Reporter
from deploy.local.runfile import Run, home_folder

DIFFERENT, COULD_NOT_PLAY, INTERRUPTED = 1, 2, 130
Once = Annotated[bool, typer.Option("--once", help="End when the year is played, also on a terminal.")]


def demo(once: Once = False, tls: Tls = False, as_json: Json = False, home: Home = None) -> None:
    """Play the year 2021 through the real doors, half over HTTP, half by Kafka, then show the bilan and the audit.

    What does not run yet is started, and stopped at the end. On a terminal, without --once, it stays up until Ctrl-C.
    A play that was broken off is taken up again with the same keys; a year that is there whole is only reported.

    Exit codes: 0 every figure is equal and the audit is clean, 1 a difference or a violation (each is named),
    2 the year could not be played, 130 interrupted.
    """
    from deploy.audit.verdict import CouldNotLook
    from deploy.demo.errors import CouldNotPlay
    from deploy.journal import JournalUnreadable

    staying = not (once or as_json or os.environ.get("ONCE")) and sys.stdout.isatty()
    shown = reporter()
    try:
        folder = home_folder(home)
        code = asyncio.run(_Demo(folder, shown, as_json, staying, tls).run(wait_for_other(folder, shown.note)))
    except (CouldNotPlay, CouldNotLook, JournalUnreadable, LocalError) as failure:
        explain(failure)
        raise typer.Exit(COULD_NOT_PLAY) from None
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)


@dataclass
class _Demo:
    """One demo: starts what does not run, plays, shows, stays if asked to, stops what it started."""

    home: Path
    reporter: Reporter
    as_json: bool
    staying: bool
    tls: bool
    interrupted: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, running: Run | None) -> int:
        """Return the exit code."""
        work = asyncio.create_task(self._play(running, stay=False) if running else self._with_supervisor())
        self._on_signals(work.cancel)
        return await work

    def _on_signals(self, act: Callable[[], Any]) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, act)

    async def _with_supervisor(self) -> int:
        """Start everything as `poec up` does, in this process: what it started ends with it, however it ends."""
        from deploy.local.options import options_from
        from deploy.local.supervisor import Supervisor

        supervisor = Supervisor(options_from(self.home, tls=self.tls), self.reporter)
        ready: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(supervisor.serve(ready.set_result))
        try:
            either: tuple[asyncio.Future[Any], ...] = (ready, serving)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                serving.result()
            return await self._unless_ended(serving, self._play(ready.result(), stay=self.staying))
        finally:
            self._on_signals(supervisor.stop)
            supervisor.stop()
            await asyncio.gather(serving, return_exceptions=True)

    async def _unless_ended(self, serving: "asyncio.Task[None]", play: Any) -> int:
        """Play, but not on servers that are gone."""
        playing: asyncio.Task[int] = asyncio.create_task(play)
        try:
            either: tuple[asyncio.Future[Any], ...] = (playing, serving)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                serving.result()
                raise LocalError("Everything was stopped while the year was played.")
            return playing.result()
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    async def _play(self, run: Run, *, stay: bool) -> int:
        from deploy.audit.run import audit, sources_of
        from deploy.demo import screen
        from deploy.demo.play import play

        played = await play(self.home, run, self.reporter)
        with self.reporter.step("audit") as advance:
            report = await audit(sources_of(self.home), progress=lambda what: advance(0, 0, f"audit · {what}"))
        if self.as_json:
            print_json(screen.document(played, report, run))
        else:
            screen.show_bilan(played, stdout_console())
            screen.show_verdict(played, report, stdout_console())
        if stay:
            screen.show_addresses(run, stderr_console())
            await self._until_interrupted()
        return DIFFERENT if played.differences or not report.clean else 0

    async def _until_interrupted(self) -> None:
        self._on_signals(self.interrupted.set)
        await self.interrupted.wait()
