"""From the workspace to the app: interactions that must be acknowledged at once, events that are sent again."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from bot.drill.workspace.http_mode import RefusedError, post
from bot.drill.workspace.records import Json
from bot.drill.workspace.socket_mode import Sockets
from bot.drill.workspace.state import State

ACK_SECONDS = 3.0
RETRY_AFTER = (0.0, 60.0, 300.0)
"""Seconds until an event that was not acknowledged is sent again: at once, after one minute, after five."""


_REASONS = {
    "operation_timeout": "timeout",
    "app_not_connected": "connection_failed",
    "dispatch_failed": "http_error",
}
"""Why an event is sent again, in the words of the retry fields."""


class NotAcknowledgedError(Exception):
    """The app did not answer as it must; the text is the error a person sees."""


@dataclass(frozen=True)
class Ack:
    """The app's acknowledgement: what it answered, and after how many milliseconds."""

    payload: Any
    ms: int


class Delivery:
    """Sends over the sockets, or to `request_url` once that is set."""

    def __init__(self, state: State) -> None:
        self.sockets = Sockets()
        self.request_url: str | None = None
        self.twice = 0
        """How many of the next events are delivered twice."""
        self._state = state
        self._under_way: set[asyncio.Task[None]] = set()

    async def interact(self, kind: str, payload: Json) -> Ack:
        """Deliver a command or interaction. Raises `NotAcknowledgedError` after three seconds or without an app."""
        begun = time.monotonic()
        answer = await self._attempt(kind, payload, {}, answered=True)
        return Ack(answer, round((time.monotonic() - begun) * 1000))

    def event(self, payload: Json) -> None:
        """Deliver an event in the background, again and again if need be."""
        times = 2 if self.twice else 1
        self.twice = max(0, self.twice - 1)
        task = asyncio.create_task(self._insist(payload, times))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Give up what is under way and end every socket."""
        for task in list(self._under_way):
            task.cancel()
        await self.sockets.close()

    async def _insist(self, payload: Json, times: int) -> None:
        reason = ""
        for attempt, delay in enumerate((0.0, *RETRY_AFTER)):
            await asyncio.sleep(delay)
            try:
                await self._attempt(
                    "events_api", payload, {"retry_attempt": attempt, "retry_reason": reason}, answered=False
                )
            except NotAcknowledgedError as error:
                reason = _REASONS[str(error)]
            else:
                times, reason = times - 1, "timeout"
                if times == 0:
                    return

    async def _attempt(self, kind: str, payload: Json, retry: Json, *, answered: bool) -> Any:
        try:
            async with asyncio.timeout(ACK_SECONDS):
                if self.request_url is not None:
                    return await post(self.request_url, self._state.tokens["signing"], kind, payload, retry)
                return await self.sockets.send(kind, payload, retry, answered=answered)
        except TimeoutError as error:
            raise NotAcknowledgedError("operation_timeout") from error
        except ConnectionError as error:
            raise NotAcknowledgedError("app_not_connected") from error
        except RefusedError as error:
            raise NotAcknowledgedError("dispatch_failed") from error
