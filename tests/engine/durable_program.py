"""A process of the durable engine, for tests to kill.

Called as ``durable_program.py URL FOLDER COMMAND…`` it notes what happens in FOLDER/notes, a line each, and its
workflows wait wherever their gate is not open: a gate is a file in FOLDER, made by the test.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

from bot import logs
from bot.engine.durable import Durable
from bot.engine.leader import leader_lock
from bot.ports import Journal


class Program:
    """What the test reads and steers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.get_running_loop()

    def note(self, text: str) -> str:
        """Write a line, at once."""
        with (self._folder / "notes").open("a") as notes:
            notes.write(text + "\n")
        return text

    async def gate(self, name: str) -> None:
        """Wait until the test opens it."""
        while not (self._folder / name).exists():  # noqa: ASYNC110 - the one who opens it is another process
            await asyncio.sleep(0.02)

    async def two_steps(self, journal: Journal, subject: str) -> None:
        """One step, a pause in which the test may kill, another step."""

        async def first() -> str:
            return self.note(f"first {subject}")

        async def second() -> None:
            here = "main" if asyncio.get_running_loop() is self._loop else "another"
            self.note(f"second {subject} after {said!r} on the {here} loop")

        said = await journal.step("first", first, str)
        self.note("between")
        await self.gate("go")
        await journal.step("second", second, type(None))

    async def ring(self, journal: Journal, subject: str) -> None:
        """What a deadline does."""
        self.note(f"ring {subject} in {journal.id}")


async def main(url: str, folder: str, command: str, *arguments: str) -> None:
    """Launch, do the command, and stay until killed."""
    program = Program(Path(folder))
    if command == "lead":
        await leader_lock(url).acquire()
        program.note(f"{arguments[0]} leads")
        await asyncio.sleep(60)
    durable = Durable(system_url=url, polling=0.05)
    durable.workflow("two-steps", program.two_steps)
    durable.workflow("ring", program.ring)
    await durable.launch()
    if command == "start":
        await durable.start("two-steps", arguments[0])
    elif command == "later":
        await durable.start_later("ring", arguments[0], timedelta(seconds=float(arguments[1])))
        program.note("enqueued")
    await asyncio.sleep(60)


if __name__ == "__main__":
    logs.configure()
    asyncio.run(main(*sys.argv[1:]))
