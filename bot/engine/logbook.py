"""A service's log, on request: its errors first, its last lines, and the whole of it as a file where that is long."""

from collections.abc import Sequence
from datetime import timedelta

from bot.domain.cards import LogCard
from bot.ports import Chat, Reads
from bot.probes.cluster import complaints

LINES = 100
"""Of each pod, where nobody says how many (the runbooks' own number)."""
MOST = 5000
_SHOWN = 15
"""Lines of each kind in the message; what is longer goes into a file as well."""
_ERRORS_IN_FILE = 8_000
"""Characters of errors at the head of a file."""
_LOG_IN_FILE = 40_000
"""Characters of the log below them: its end."""


class Logbook:
    """Reads logs and shows them. Whatever is shown or uploaded is redacted on its way out."""

    def __init__(self, reads: Reads, chat: Chat) -> None:
        self._reads = reads
        self._chat = chat

    async def show(
        self, service: str, lines: int, since: timedelta | None, channel: str, *, thread: str | None, key: str
    ) -> None:
        """Post it there.

        Args:
            service: by the bot's word, such as ``musd-relay``.
            lines: of each of its pods.
            since: only what was written within this time.
            channel: where it was asked for.
            thread: within the channel.
            key: makes showing it twice once.
        """
        log = await self._reads.cluster.logs(service, lines, since)
        errors = complaints(log)
        long = len(log) > _SHOWN
        card = LogCard(
            service=service,
            asked=f"last {lines} lines" + (f", of the last {_words(since)}" if since else ""),
            count=len(log),
            error_count=len(errors),
            errors=tuple(errors[-_SHOWN:]),
            tail=tuple(log[-_SHOWN:]),
            filed=long,
        )
        message = await self._chat.post(channel, card, key=key, thread=thread)
        if long:
            name = f"{service}-{key.rpartition(':')[2][-12:]}.log"
            text = _file(log, errors)
            await self._chat.upload(message.channel, name, text, key=f"{key}:file", thread=thread or message.ts)


def _file(log: Sequence[str], errors: Sequence[str]) -> str:
    """Errors first, then everything in its order; of both the newest, where they are too long."""
    head = _newest(errors, _ERRORS_IN_FILE) if errors else "(none)"
    return f"--- {len(errors)} errors ---\n{head}\n\n--- all {len(log)} lines ---\n{_newest(log, _LOG_IN_FILE)}\n"


def _newest(lines: Sequence[str], limit: int) -> str:
    kept: list[str] = []
    for line in reversed(lines):
        limit -= len(line) + 1
        if limit < 0:
            kept.append(f"({len(lines) - len(kept)} older lines left out)")
            break
        kept.append(line)
    return "\n".join(reversed(kept))


def _words(since: timedelta) -> str:
    minutes, seconds = divmod(int(since.total_seconds()), 60)
    return f"{minutes} min" if not seconds else f"{int(since.total_seconds())} s"
