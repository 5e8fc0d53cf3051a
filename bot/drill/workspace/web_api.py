"""The Web API: who calls, may they, what goes wrong by order, and then the method itself."""

import asyncio
import sys
import time
from collections import deque
from dataclasses import dataclass, field

from aiohttp import web

from bot.drill.workspace.arguments import Arguments, read_arguments
from bot.drill.workspace.catalogue import METHODS
from bot.drill.workspace.core import Slack
from bot.drill.workspace.errors import SlackError, invalid_arguments
from bot.drill.workspace.limits import RateLimits, rate_limited
from bot.drill.workspace.methods import APP_METHODS, HANDLERS
from bot.drill.workspace.records import Json
from bot.drill.workspace.scopes import check_scopes


@dataclass
class MethodFault:
    """One method made to fail; `times` counts down, None means until mended."""

    method: str
    error: str
    times: int | None = None
    retry_after: int = 1
    seconds: float = 60.0


@dataclass
class WebApi:
    """``/api/{method}``, and what was asked of it."""

    slack: Slack
    limits: RateLimits = field(default_factory=RateLimits)
    faults: list[MethodFault] = field(default_factory=list)
    slow_seconds: float = 0.0
    calls: deque[Json] = field(default_factory=lambda: deque(maxlen=10_000))
    """Every call: when (Unix seconds), which method, which channel, and the error it was answered with."""
    unknown: list[Json] = field(default_factory=list)
    """Calls of methods that are not served: each is a mistake in the app or a gap here."""

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call."""
        method = request.match_info["method"]
        call: Json = {"at": time.time(), "method": method, "channel": None, "error": None}
        self.calls.append(call)
        await asyncio.sleep(self.slow_seconds)
        fault = self._fault(method)
        try:
            if fault and fault.error == "lost":
                return await _never(request, fault.seconds)
            if fault and fault.error != "timeout":
                raise _refusal(fault)
            args = await read_arguments(request)
            call["channel"] = args.text("channel") or None
            answer = self._run(method, args, request.headers.get("Authorization", ""))
        except SlackError as error:
            call["error"] = error.error
            return web.json_response(
                error.as_json(), status=error.status, headers=self._headers(method) | error.headers
            )
        finally:
            if fault:
                call["fault"] = fault.error
        if fault:
            return await _never(request, fault.seconds)
        return web.json_response({"ok": True, **answer}, headers=self._headers(method))

    def _run(self, method: str, args: Arguments, authorization: str) -> Json:
        if method not in HANDLERS:
            self._report_unknown(method, args)
            raise SlackError("unknown_method", req_method=method)
        self._check_token(method, args, authorization)
        self.limits.check(method, args)
        missing = args.missing(*METHODS[method].required)
        if missing:
            raise invalid_arguments(*(f"missing required field: {name}" for name in missing))
        check_scopes(method, args, self.slack.state, self.slack.manifest.scopes)
        return HANDLERS[method](self.slack, args)

    def _check_token(self, method: str, args: Arguments, authorization: str) -> None:
        if method == "api.test":
            return
        token = authorization.removeprefix("Bearer ").strip() or args.text("token")
        tokens = self.slack.state.tokens
        if not token:
            raise SlackError("not_authed")
        if token not in {tokens["bot"], tokens["app"]}:
            raise SlackError("invalid_auth")
        if (token == tokens["app"]) != (method in APP_METHODS):
            raise SlackError("not_allowed_token_type")

    def _fault(self, method: str) -> MethodFault | None:
        for fault in self.faults:
            if fault.method == method:
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    def _report_unknown(self, method: str, args: Arguments) -> None:
        self.unknown.append({"at": time.time(), "method": method, "arguments": args.names()})
        print(f"slack: UNKNOWN METHOD {method}({', '.join(args.names())})", file=sys.stderr, flush=True)  # noqa: T201  loud on purpose

    def _headers(self, method: str) -> dict[str, str]:
        accepted = METHODS[method].scopes if method in METHODS else ()
        return {"X-OAuth-Scopes": ",".join(self.slack.manifest.scopes), "X-Accepted-OAuth-Scopes": ",".join(accepted)}


def _refusal(fault: MethodFault) -> SlackError:
    if fault.error == "ratelimited":
        return rate_limited(fault.retry_after)
    if fault.error.startswith("http_"):
        return SlackError("internal_error", status=int(fault.error.removeprefix("http_")))
    return SlackError(fault.error)


async def _never(request: web.Request, seconds: float) -> web.Response:
    """Leave the caller waiting, then cut the connection."""
    await asyncio.sleep(seconds)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=504)
