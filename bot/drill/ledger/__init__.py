"""The Canton ledger on loopback: the JSON Ledger API v2 over the protocol's templates."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.drill.ledger import errors, seed, wire
from bot.drill.ledger.access import ADMIN, GUARDIANS, LIFETIME, OPERATOR, PARTIES, Access
from bot.drill.ledger.book import Book, Transaction, daml_time, party_set
from bot.drill.ledger.commands import carry_out
from bot.drill.ledger.governance import GOVERNANCE, PAUSE_STATE
from bot.drill.ledger.protocol import FEED, HOLDING, PROTOCOL, SERVICES, money, service_key
from bot.drill.ledger.users import Users
from bot.drill.listening import Json, StandIn, down, now, parse_stamp, slow
from bot.drill.part import Fault
from bot.drill.prices import usd

LIST_LIMIT = 200
"""Elements of one answer, as a participant is configured unless told otherwise."""
MANY = 250
"""Holdings there are under the fault ``many-contracts``: more than one answer takes."""
FRESH = timedelta(seconds=60)
"""How old a healthy price feed gets before the practice oracle writes it again."""
TIMELOCK = timedelta(seconds=10)
"""Between approval and execution. The real one takes hours; practice has none to spare."""
VERSION = "3.6.0-practice"

Answer = Callable[[web.Request, str], Awaitable[web.StreamResponse]]


class Ledger(StandIn):
    """Clients bring a bearer token. The bot's user acts as one guardian; the operator has a token of its own."""

    name = "ledger"
    faults = (
        down("ledger"),
        slow("ledger"),
        Fault("ledger", "not-ready", "lives, but is not ready to serve"),
        Fault("ledger", "unauthorized", "takes no token any more"),
        Fault("ledger", "forbidden", "the token's user has lost its rights"),
        Fault(
            "ledger", "contention", "another transaction has locked the contract", {"times": "how often, 1 unless said"}
        ),
        Fault("ledger", "lost-answer", "carries commands out and never answers", {"times": "how often, 1 unless said"}),
        Fault(
            "ledger", "price-stale", "the price feeds stop being written", {"seconds": "their age, 7200 unless said"}
        ),
        Fault("ledger", "supply", "the holdings add up to another supply", {"amount": "mUSD on Canton"}),
        Fault("ledger", "nonconsuming-set-paused", "SetPaused leaves the old contract alive beside the new one"),
        Fault("ledger", "many-contracts", f"{MANY} holdings, more than one answer takes"),
        Fault("ledger", "service-paused", "a service is paused already", {"service": "its template's name"}),
        Fault("ledger", "old-vote", "a guardian's vote of another day still counts towards the pause state"),
    )

    def __init__(self, timelock: timedelta = TIMELOCK) -> None:
        super().__init__()
        self.access = Access()
        self.token = self.access.token("musd-bot")
        """The bot's user: acts as the first guardian, reads as the operator."""
        self.operator_token = self.access.token("musd-operator")
        self.admin_token = self.access.token(ADMIN)
        self._issued = 0
        self.operator = OPERATOR
        self.guardians = GUARDIANS
        self.guardian_tokens = {one: self.access.token(one.partition("::")[0]) for one in GUARDIANS}
        """A token of each guardian party, the bot's first."""
        self.book = Book([*GOVERNANCE, *PROTOCOL])
        self._timelock = timelock
        self._writing: asyncio.Task[None] | None = None

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """The part of the API the bot calls; health without a token, the rest with one."""
        yield web.get("/livez", self._live)
        yield web.get("/readyz", self._ready)
        guarded: dict[tuple[str, str], Answer] = {
            ("GET", "/v2/version"): self._version,
            ("GET", "/v2/state/ledger-end"): self._end,
            ("POST", "/v2/state/active-contracts"): self._active,
            ("POST", "/v2/state/active-contracts-page"): self._active_page,
            ("POST", "/v2/commands/submit-and-wait-for-transaction"): self._submit,
            ("GET", "/v2/parties"): self._parties,
            ("GET", "/v2/authenticated-user"): self._whoami,
            **Users(self.access).routes(),
            ("POST", "/admin/tokens"): self._issue,
        }
        yield from (web.route(method, path, self._guard(answer)) for (method, path), answer in guarded.items())

    async def start(self, folder: Path) -> None:
        """Listen, on the first day with the protocol freshly set up; keep the price feeds fresh."""
        await super().start(folder)
        if self.book.offset == 0:
            seed.begin(self.book, now(), self._timelock)
        self._writing = asyncio.create_task(self._keep_fresh())

    async def stop(self) -> None:
        """Save and end."""
        if self._writing is not None:
            self._writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writing
            self._writing = None
        await super().stop()

    def remember(self) -> Json:
        """The contracts, the commands carried out, and the users."""
        return {"book": self.book.state(), "users": self.access.users, "deactivated": sorted(self.access.deactivated)}

    def recall(self, state: Json) -> None:
        """Continue from what `remember` returned."""
        self.book.restore(state["book"])
        self.access.users = state["users"]
        self.access.deactivated = set(state.get("deactivated", ()))

    def refuse(self, status: int, request: web.Request) -> web.Response:
        """Nobody there: what stands before the participant says so."""
        return web.Response(status=status, text=f"no healthy upstream for {request.path}")

    # Faults

    async def inflict(self, request: Mapping[str, Any]) -> None:
        """Break something. Raises `ValueError` for a service there is not or a supply that is no amount."""
        if request.get("fault") == "supply" and "amount" not in request:
            raise ValueError("the fault supply needs an amount, in mUSD")
        service = service_key(str(request.get("service", SERVICES[0].name)))
        changed = self.broken.get(str(request.get("fault")), {}).get("contracts", [])
        await super().inflict(request)
        kind: str = request["fault"]
        self.broken[kind]["contracts"] = changed
        if kind in {"contention", "lost-answer"}:
            self.broken[kind].setdefault("times", 1)
        elif kind == "price-stale":
            self._age_feeds(timedelta(seconds=float(request.get("seconds", 7200))))
        elif kind == "service-paused":
            self._change(kind, service, paused=True)
        elif kind == "old-vote":
            self._change(kind, PAUSE_STATE, pauseApprovals=party_set([self.guardians[-1]]))

    async def mend(self) -> None:
        """Undo every fault. What people changed meanwhile stays as they left it."""
        for fault, healthy in (("service-paused", {"paused": False}), ("old-vote", {"pauseApprovals": party_set([])})):
            for identity in self.broken.get(fault, {}).get("contracts", []):
                if identity in self.book.active:
                    self._replace(self.book.active[identity], **healthy)
        if "nonconsuming-set-paused" in self.broken:
            for service in SERVICES:
                for older in self.book.of(service.key)[:-1]:
                    self._archive(older["id"])
        await super().mend()
        self._write_feeds()

    async def trouble(self, request: web.Request) -> web.StreamResponse | None:
        """Not ready."""
        if "not-ready" in self.broken and request.path != "/livez":
            return self._refusal(errors.LedgerError("NOT_READY", "The participant is not ready", errors.TRANSIENT))
        return None

    def _change(self, fault: str, template: str, **changed: Any) -> None:
        """Change every contract of a template, and remember which these are: mending changes no others back."""
        self.broken[fault]["contracts"] += [self._replace(one, **changed) for one in self.book.of(template)]

    def _replace(self, contract: Json, **changed: Any) -> str:
        tx = Transaction(self.book, now(), PARTIES)
        tx.archive(contract["id"])
        identity = tx.create(contract["template"], {**contract["arguments"], **changed})
        tx.commit()
        return identity

    def _archive(self, identity: str) -> None:
        tx = Transaction(self.book, now(), PARTIES)
        tx.archive(identity)
        tx.commit()

    def _age_feeds(self, age: timedelta) -> None:
        for feed in self.book.of(FEED):
            self._replace(feed, lastUpdated=daml_time(now() - age))

    def _write_feeds(self) -> None:
        for feed in self.book.of(FEED):
            at = now()
            if at - parse_stamp(feed["arguments"]["lastUpdated"]) >= FRESH:
                price = money(Decimal(str(usd(seed.COINS[feed["arguments"]["symbol"]], at))))
                self._replace(feed, priceUsd=price, source="tradecraft-amm", lastUpdated=daml_time(at))

    async def _keep_fresh(self) -> None:
        while True:
            if "price-stale" not in self.broken:
                self._write_feeds()
            await asyncio.sleep(5)

    # Answers

    def _refusal(self, error: errors.LedgerError, correlation: str | None = None) -> web.Response:
        return web.json_response(error.as_json(uuid4().hex, correlation), status=error.status)

    def _guard(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            try:
                user = self.access.user_of(request.headers.get("Authorization"))
                if "unauthorized" in self.broken:
                    raise errors.unauthenticated("it was revoked")
                if "forbidden" in self.broken and request.path.startswith(("/v2/state/active", "/v2/commands")):
                    raise errors.denied(user, "CanActAs or CanReadAs any of the parties named")
                return await answer(request, user)
            except errors.LedgerError as error:
                return self._refusal(error)

        return guarded

    async def _live(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _ready(self, _: web.Request) -> web.Response:
        return web.Response(text="[+] ledger ok (SERVING)\nreadyz check passed\n")

    async def _version(self, _request: web.Request, _user: str) -> web.Response:
        return web.json_response({"version": VERSION, "features": wire.FEATURES})

    async def _end(self, _request: web.Request, _user: str) -> web.Response:
        times = [{"synchronizerId": wire.SYNCHRONIZER, "recordTime": daml_time(now())}]
        return web.json_response({"offset": self.book.offset, "synchronizerTimes": times})

    async def _parties(self, _request: web.Request, _user: str) -> web.Response:
        return web.json_response({"partyDetails": [wire.party(one) for one in PARTIES], "nextPageToken": ""})

    async def _whoami(self, _request: web.Request, user: str) -> web.Response:
        return web.json_response({"user": wire.user(user)})

    async def _issue(self, request: web.Request, user: str) -> web.Response:
        """A token for any user: what the runbooks call the admin API. Two in one second are two all the same."""
        self.access.must_be_admin(user)
        asked = str((await _body(request)).get("user"))
        if asked not in self.access.users:
            cause = f"there is no user {asked!r}"
            raise errors.LedgerError("USER_NOT_FOUND", cause, errors.MISSING, resource=("USER", asked))
        self._issued += 1
        return web.json_response({"token": self.access.token(asked, LIFETIME + timedelta(seconds=self._issued))})

    async def _active(self, request: web.Request, user: str) -> web.Response:
        asked = await _body(request)
        if not isinstance(asked.get("activeAtOffset"), int):
            return web.Response(status=400, text="Invalid value for: body (Missing required field at 'activeAtOffset')")
        wanted, found = self._query(asked, asked["activeAtOffset"], user)
        limit = int(request.query.get("limit", LIST_LIMIT + 1))
        # A limit below the node's own cuts the list short, without a word.
        if limit > LIST_LIMIT and len(found) > LIST_LIMIT:
            raise errors.too_many(LIST_LIMIT + 1, LIST_LIMIT)
        return web.json_response([wire.active_contract(one, wanted) for one in found[:limit]])

    async def _active_page(self, request: web.Request, user: str) -> web.Response:
        asked = await _body(request)
        offset, begin = asked.get("activeAtOffset") or self.book.offset, 0
        if asked.get("pageToken"):
            offset, begin = (int(part) for part in asked["pageToken"].split("."))
        wanted, found = self._query(asked, offset, user)
        end = begin + min(int(asked.get("maxPageSize") or LIST_LIMIT), LIST_LIMIT)
        page: Json = {
            "activeAtOffset": offset,
            "activeContracts": [wire.active_contract(one, wanted) for one in found[begin:end]],
        }
        if end < len(found):
            page["nextPageToken"] = f"{offset}.{end}"
        return web.json_response(page)

    def _query(self, asked: Json, offset: int, user: str) -> tuple[wire.Filter, list[Json]]:
        wanted = wire.Filter(self.book, {key: asked[key] for key in ("eventFormat", "filter") if asked.get(key)})
        self.access.must_read_as(user, wanted.by_party)
        if wanted.for_anybody is not None:
            self.access.must_read_everything(user)
        return wanted, [one for one in self._shown(self.book.at(offset)) if wanted.wants(one)]

    def _shown(self, contracts: list[Json]) -> list[Json]:
        """The contracts, with the holdings the faults want."""
        real = [one for one in contracts if one["template"] == HOLDING]
        if not real or not {"supply", "many-contracts"} & set(self.broken):
            return contracts
        total = sum((Decimal(one["arguments"]["amount"]) for one in real), Decimal(0))
        if "supply" in self.broken:
            total = Decimal(str(self.broken["supply"]["amount"]))
        count = MANY if "many-contracts" in self.broken else len(real)
        others = [one for one in contracts if one["template"] != HOLDING]
        return [*others, *seed.holdings(real[0], total, count)]

    # Commands

    async def _submit(self, request: web.Request, user: str) -> web.StreamResponse:
        asked = await _body(request)
        commands = asked.get("commands")
        if not isinstance(commands, dict) or not all(commands.get(key) for key in ("commandId", "commands", "actAs")):
            return web.Response(status=400, text="Invalid value for: body (commands, commandId and actAs are required)")
        try:
            self.access.must_act_as(user, commands["actAs"])
            self.access.must_read_as(user, commands.get("readAs") or [])
            locked, keep = self.take("contention"), "nonconsuming-set-paused" in self.broken
            answer = carry_out(self.book, user, asked, locked=locked, keep=keep)
        except errors.LedgerError as error:
            return self._refusal(error, commands["commandId"])
        if self.take("lost-answer") and request.transport is not None:
            request.transport.abort()
        return web.json_response({"transaction": answer})


async def _body(request: web.Request) -> Json:
    try:
        body: Any = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="Invalid value for: body (expected a JSON object)")
    return body
