"""Ethereum RPCs: each held to one chain, each failing in words, asked one after the other or all at once.

An RPC goes by its letter and host, never by its URL: URLs hold keys.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any, TypeVar, cast

import stamina
from eth_abi.abi import encode as abi_encode
from eth_typing import ChecksumAddress, HexStr
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from web3 import AsyncWeb3
from web3.eth import AsyncEth
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import BlockIdentifier, RPCEndpoint, RPCResponse, TxParams
from yarl import URL

from bot.adapters import reverts
from bot.adapters.jsonrpc import Transport
from bot.adapters.trouble import reason
from bot.errors import ConfigurationError, RevertedError, UnavailableError

T = TypeVar("T")
Question = Callable[[AsyncEth], Awaitable[T]]

TIMEOUT = 2.0
"""Seconds that one question to one RPC may take."""
_PINNED = 5.0
"""Seconds for which a checked chain id is believed."""
_AILING = 15.0
"""Seconds for which an RPC that failed is asked last."""
_NEVER = float("-inf")
_TEXT_AT_MOST = 200
_TELLING = 8
"""A part of a URL at least this long may be a key."""


class Rpc:
    """One RPC. Its chain id is checked before its first answer is believed, after a failure, and every few seconds."""

    def __init__(self, url: str, letter: str, chain_id: int, timeout: float = TIMEOUT) -> None:
        address = URL(url)
        if address.scheme not in {"http", "https"} or not address.host:
            raise ConfigurationError(
                f"RPC {letter} in MUSD_RPC_URLS is not an http or https URL.",
                next_step="Write it as https://host/path; several are separated by commas.",
            )
        self.name = f"RPC {letter} ({address.host}{f':{address.explicit_port}' if address.explicit_port else ''})"
        self.failed_at = _NEVER
        """When it last failed, on the monotonic clock."""
        self._secrets = _secrets(address)
        self._chain_id = chain_id
        self._timeout = timeout
        self._provider = Transport(url)
        self._eth = AsyncWeb3(self._provider, middleware=[]).eth
        self._pinned_at = _NEVER

    def __repr__(self) -> str:
        return self.name

    async def ask(self, question: Question[T]) -> T:
        """The answer.

        Raises:
            RevertedError: the answer is a revert.
            UnavailableError: there was none in time, or it makes no sense, or it is of another chain.
        """
        return await self._within(lambda: question(self._eth))

    async def send(self, raws: Sequence[str]) -> Sequence[str | None]:
        """Send signed transactions in order, in one request. For each: None if it was taken, else the node's words."""
        return await self._within(lambda: self._send(raws))

    async def batch(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> Sequence[Any]:
        """The results of several requests, asked in one; None where the node has none, or answers with an error."""
        return await self._within(lambda: self._batch([(RPCEndpoint(name), list(given)) for name, given in requests]))

    async def answers(self, requests: Sequence[tuple[str, Sequence[Any]]]) -> Sequence[Mapping[str, Any]]:
        """The same, with each answer as the node gave it: a result, or an error."""
        asked = [(RPCEndpoint(name), list(given)) for name, given in requests]
        return cast("Sequence[Mapping[str, Any]]", await self._within(lambda: self._each(asked)))

    async def close(self) -> None:
        """Close its connections."""
        await self._provider.close()

    async def _within(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                await self._pin()
                return await work()
        except ContractLogicError as error:
            revert = reverts.decode(reverts.raw(error.data) or b"")
            raise RevertedError(revert.text, error=revert.error) from None
        except RevertedError:
            raise
        except UnavailableError as error:
            self._failed()
            raise UnavailableError(
                f"{self.name}: {error.happened}", means=error.means, next_step=error.next_step
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever a node answers ends in one of our errors
            self._failed()
            raise UnavailableError(f"{self.name}: {self._words(error)}") from None

    async def _pin(self) -> None:
        if time.monotonic() - self._pinned_at < _PINNED:
            return
        found = await self._eth.chain_id
        if found != self._chain_id:
            raise UnavailableError(
                f"it is on chain {found}, not on chain {self._chain_id}, so it is not believed",
                next_step="Correct MUSD_RPC_URLS or MUSD_CHAIN_ID.",
            )
        self._pinned_at = time.monotonic()

    def _failed(self) -> None:
        self._pinned_at = _NEVER
        self.failed_at = time.monotonic()

    async def _send(self, raws: Sequence[str]) -> Sequence[str | None]:
        # Where a node takes no batches they go one by one: sending the same bytes again does nothing twice.
        return [
            self._refusal(one) for one in await self._each([(RPCEndpoint("eth_sendRawTransaction"), [r]) for r in raws])
        ]

    async def _batch(self, requests: list[tuple[RPCEndpoint, Any]]) -> Sequence[Any]:
        return [one.get("result") for one in await self._each(requests)]

    async def _each(self, requests: list[tuple[RPCEndpoint, Any]]) -> Sequence[RPCResponse]:
        answer = await self._provider.make_batch_request(requests)
        if isinstance(answer, list) and len(answer) == len(requests):
            return answer
        return [await self._provider.make_request(name, given) for name, given in requests]

    def _refusal(self, response: RPCResponse) -> str | None:
        error = response.get("error")
        if error is None:
            return None
        return self._clean(str(error.get("message", error) if isinstance(error, dict) else error))

    def _words(self, error: Exception) -> str:
        if isinstance(error, Web3RPCError):
            response = cast("dict[str, Any]", error.rpc_response or {})
            return f'it answered "{self._refusal(cast("RPCResponse", response)) or self._clean(error.message)}"'
        return reason(error, timeout=self._timeout)

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text[:_TEXT_AT_MOST]


class Rpcs:
    """The configured RPCs, all of one chain. Lettered A, B, … in their order."""

    def __init__(self, urls: Sequence[str], chain_id: int, *, timeout: float = TIMEOUT) -> None:
        if not 0 < len(urls) <= len(ascii_uppercase):
            raise ConfigurationError(f"MUSD_RPC_URLS names {len(urls)} RPCs.", next_step="Name 1 to 26 of them.")
        self.chain_id = chain_id
        self.all = tuple(
            Rpc(url, letter, chain_id, timeout) for url, letter in zip(urls, ascii_uppercase, strict=False)
        )

    async def first(self, question: Question[T]) -> T:
        """The answer of the first RPC that has one, in their order; those that just failed are asked last.

        For reads alone: it asks again, shortly, when none answers.

        Raises:
            RevertedError: the first answer is a revert.
            UnavailableError: none answered; the text has each one's reason.
        """
        async for attempt in stamina.retry_context(
            on=_passing, attempts=2, timeout=1.0, wait_initial=0.05, wait_max=0.1, wait_jitter=0.05
        ):
            with attempt:
                return await self._first(question)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def each(self, question: Question[T], *, grace: float | None = None) -> Sequence[T]:
        """The answers of all that have one, asked at the same time.

        Args:
            question: asked of each.
            grace: seconds that the others get once one has answered; as long as they take when None.

        Raises:
            UnavailableError: none answered; the text has each one's reason.
        """
        answers = await self.gather(lambda rpc: rpc.ask(question), grace=grace)
        found = [answer for answer in answers if not isinstance(answer, UnavailableError)]
        if not found:
            raise silent(answer for answer in answers if isinstance(answer, UnavailableError))
        return found

    async def gather(
        self, work: Callable[[Rpc], Awaitable[T]], *, grace: float | None = None
    ) -> Sequence[T | UnavailableError]:
        """What `work` makes of each RPC, side by side, or why it could not; in the RPCs' order."""

        async def one(rpc: Rpc) -> T | UnavailableError:
            try:
                return await work(rpc)
            except UnavailableError as error:
                return error

        tasks = [asyncio.create_task(one(rpc)) for rpc in self.all]
        try:
            await _answered(tasks, grace)
            return [
                task.result() if task.done() else UnavailableError(f"{rpc.name}: it is slower than the others")
                for rpc, task in zip(self.all, tasks, strict=True)
            ]
        finally:
            for task in tasks:
                task.cancel()

    async def close(self) -> None:
        """Close all connections."""
        for rpc in self.all:
            await rpc.close()

    async def _first(self, question: Question[T]) -> T:
        errors = []
        ailing_since = time.monotonic() - _AILING
        for rpc in sorted(self.all, key=lambda rpc: rpc.failed_at > ailing_since):
            try:
                return await rpc.ask(question)
            except RevertedError:
                raise
            except UnavailableError as error:
                errors.append(error)
        raise silent(errors)


async def _answered(tasks: "Sequence[asyncio.Task[Any]]", grace: float | None) -> None:
    """Wait for all, or for the first that is no failure and `grace` seconds more."""
    waiting = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if grace is not None and waiting and any(not isinstance(task.result(), UnavailableError) for task in done):
            await asyncio.wait(waiting, timeout=grace)
            return


def silent(errors: Iterable[UnavailableError]) -> UnavailableError:
    """No RPC answered: why, for each."""
    return UnavailableError("No Ethereum RPC answered. " + "; ".join(error.happened for error in errors) + ".")


def calldata(signature: str, *arguments: Any) -> str:
    """The 0x-prefixed call of a function such as ``getPrice(address)``."""
    types = signature[signature.index("(") + 1 : -1]
    encoded = abi_encode(types.split(",") if types else [], arguments)
    return "0x" + (function_signature_to_4byte_selector(signature) + encoded).hex()


def call(
    to: str, data: str, *, sender: str | None = None, gas: int | None = None, block: BlockIdentifier = "latest"
) -> Question[bytes]:
    """The question what a contract answers to a call; nothing is sent."""
    transaction: TxParams = {"to": checksummed(to), "data": HexStr(data)}
    if sender is not None:
        transaction["from"] = checksummed(sender)
    if gas is not None:
        transaction["gas"] = gas

    async def question(eth: AsyncEth) -> bytes:
        # Off-chain lookups would have the contract name the URL that the bot fetches next.
        return bytes(await eth.call(transaction, block, ccip_read_enabled=False))

    return question


def number(answer: bytes) -> int:
    """The one number that a call answered.

    Raises:
        RevertedError: with `reverts.MISSING`: an empty answer, as from an address without a contract.
        UnavailableError: the answer is something else.
    """
    if not answer:
        raise RevertedError("no contract there answers this", error=reverts.MISSING)
    if len(answer) != 32:  # noqa: PLR2004 - a word of the EVM
        raise UnavailableError(f"the answer has {len(answer)} bytes, which is not one number")
    return int.from_bytes(answer)


def checksummed(address: str) -> ChecksumAddress:
    """An address as web3 wants it."""
    return to_checksum_address(address)


def _passing(error: Exception) -> bool:
    return isinstance(error, UnavailableError) and not isinstance(error, RevertedError)


def _secrets(url: URL) -> tuple[str, ...]:
    parts = (*url.parts, url.user or "", url.password or "", *url.query.values())
    return tuple(sorted((part for part in parts if len(part) >= _TELLING), key=len, reverse=True))
