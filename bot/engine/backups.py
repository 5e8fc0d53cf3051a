"""The ledger database's disk and backups, shown on request (Database Recovery)."""

import asyncio

from bot.domain.cards import NoticeCard
from bot.domain.probe import State
from bot.errors import BotError, RefusedError
from bot.ports import Chat, Dump, LedgerDatabase, Reads

_SHOWN = 15
_MIB = 2**20


class Backups:
    """Looks, and shows what it saw. Backing up and restoring are Actions."""

    def __init__(self, reads: Reads, chat: Chat, database: LedgerDatabase | None, *, app: str, path: str) -> None:
        """Show one database.

        Args:
            reads: where its pod and its volume are looked at.
            chat: where it is shown.
            database: where its backups are; None where no place for them is configured.
            app: its pods' application.
            path: the directory whose disk is looked at.
        """
        self._reads = reads
        self._chat = chat
        self._database = database
        self._app = app
        self._path = path

    async def usage(self, channel: str, *, key: str) -> None:
        """How full its disk and how big its volumes are, and the newest backup."""
        parts = await asyncio.gather(self._disk(), self._claims(), self._newest(), return_exceptions=True)
        lines, state = [], State.OK
        for title, part in zip(("Disk", "Volumes", "Newest backup"), parts, strict=True):
            if isinstance(part, BotError):
                lines.append(f"{title}: UNKNOWN. {part.sentences()}")
                state = State.UNKNOWN
            elif isinstance(part, BaseException):
                raise part
            else:
                lines.append(f"{title}:\n{part}")
        card = NoticeCard(state, f"The ledger's database, {self._app}", "\n".join(lines))
        await self._chat.post(channel, card, key=key)

    async def list(self, channel: str, *, key: str) -> None:
        """The complete backups, the newest first."""
        dumps = await self.database.backups()
        text = f"{len(dumps)} complete backup{'' if len(dumps) == 1 else 's'} in {self.database.place}"
        quote = "\n".join(_line(dump) for dump in dumps[:_SHOWN])
        await self._chat.post(channel, NoticeCard(State.OK if dumps else State.BAD, text, quote), key=key)

    async def meant(self, name: str) -> Dump:
        """The backup of that name; ``latest`` is the newest.

        Raises:
            RefusedError: there is none.
        """
        dumps = await self.database.backups()
        found = dumps[:1] if name == "latest" else [dump for dump in dumps if dump.name == name]
        if not found:
            there = ", ".join(dump.name for dump in dumps[:5]) or "none"
            raise RefusedError(
                f"There is no complete backup called {name[:80]!r}.",
                means="Nothing was done.",
                next_step=f"The newest are: {there}. `/musd database backups` lists them.",
            )
        return found[0]

    @property
    def database(self) -> LedgerDatabase:
        """Where backups are.

        Raises:
            RefusedError: no place is configured.
        """
        if self._database is None:
            raise RefusedError(
                "This bot keeps no backups: no place for them is configured, or it may not change the cluster.",
                means="Nothing was done.",
                next_step="Set MUSD_BACKUP_BUCKET or MUSD_BACKUP_DIR, and MUSD_KUBE_WRITE_CONTEXT.",
            )
        return self._database

    async def _disk(self) -> str:
        answers = await self._reads.cluster.execute(self._app, ["df", "-h", self._path])
        return "\n".join(one.text for one in answers) or f"no pod of {self._app} runs"

    async def _claims(self) -> str:
        return "\n".join(await self._reads.cluster.claims()) or "none"

    async def _newest(self) -> str:
        dumps = await self.database.backups()
        return _line(dumps[0]) if dumps else "there is none"


def _line(dump: Dump) -> str:
    rows = sum(dump.contents.rows.values())
    return f"{dump.name}  {dump.at:%Y-%m-%d %H:%M} UTC  {dump.size / _MIB:,.1f} MiB  {rows:,} rows  {dump.database}"
