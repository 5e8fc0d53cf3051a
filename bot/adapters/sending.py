"""Sending to Ethereum: signing with consecutive nonces, broadcasting, receipts.

Nothing here sends twice by itself: what was signed is broadcast as often as the caller says; the same bytes pay once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_typing import HexStr
from hexbytes import HexBytes
from web3.eth import AsyncEth
from web3.exceptions import TransactionNotFound, Web3RPCError

from bot.adapters import rpc
from bot.adapters.rpc import Rpc, Rpcs
from bot.adapters.signers import Signer
from bot.errors import RevertedError, UnavailableError
from bot.ports import Call, Look, Mined, SignedTransaction

GAS = 120_000
"""Per pause call: they use 47 to 54 thousand, and estimating fails where the target is paused."""
GWEI = 10**9
_TIP = 2 * GWEI
"""Offered to the block's builder at least: a pause is worth more than its fee."""
_HEADROOM = 5, 4
"""On top of twice the base fee, as a fraction."""
_KNOWN = ("already known", "alreadyknown", "already imported", "known transaction")

_FEES = ("maxFeePerGas", "maxPriorityFeePerGas")
_GRACE = 0.3
"""Seconds that the other RPCs get once one has answered: the slowest holds no pause up."""
_DEEP = 64
"""Blocks after which one counts as final, where a node does not know the tag."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Market:
    """What one RPC says about the signer and the market."""

    latest: int
    pending: int
    base_fee: int
    tip: int


class Sender:
    """One key of the bot's on all configured RPCs. What both signers have in common."""

    def __init__(self, rpcs: Rpcs, signer: Signer, *, max_fee_gwei: int) -> None:
        """Send with this key.

        Args:
            rpcs: every one of them is sent to.
            signer: holds the key.
            max_fee_gwei: no transaction offers more than this per gas.
        """
        self._rpcs = rpcs
        self._signer = signer
        self._max_fee = max_fee_gwei * GWEI
        self._reasons: dict[str, str] = {}
        """Why transactions reverted, by hash: asked once."""

    @property
    def chain_id(self) -> int:
        """Pinned by configuration; part of every signature."""
        return self._rpcs.chain_id

    @property
    def signer(self) -> str:
        """The pausing key's address."""
        return self._signer.address

    async def sign(self, calls: Sequence[Call]) -> Sequence[SignedTransaction]:
        """Sign all, in order, with consecutive nonces from the pending one; fees explicit. Sends nothing.

        Raises:
            UnavailableError: no RPC told the nonce and the base fee; nothing was signed.
        """
        market = await self._market()
        fees = self._fees(market)
        return await asyncio.gather(
            *(self._sign(call, market.pending + place, *fees) for place, call in enumerate(calls))
        )

    async def replace(self, waiting: Sequence[SignedTransaction], used: int) -> Sequence[SignedTransaction]:
        """Sign what waits again with the same nonces, lowest first, both fees raised by an eighth at least.

        Nonces from `used` up to the first of these get empty transactions to the key itself. What can't be raised
        without passing the cap is left out.

        Raises:
            UnavailableError: no RPC told the base fee; nothing was signed.
        """
        fees = self._fees(await self._market())
        ordered = sorted(waiting, key=lambda one: one.nonce)
        signed = [await self._sign(self._empty(), nonce, *fees) for nonce in range(used, ordered[0].nonce)]
        for one in ordered:
            was = _decoded(one)
            raised = [max(new, -(-was[name] * 9 // 8) + 1) for name, new in zip(_FEES, fees, strict=True)]
            if raised[0] > self._max_fee:
                continue
            call = Call(contract=one.contract, address=one.address, signature="", calldata="0x" + was["data"].hex())
            signed.append(await self._sign(call, one.nonce, raised[0], min(raised)))
        return signed

    async def broadcast(self, transactions: Sequence[SignedTransaction]) -> Sequence[str]:
        """Send the same bytes to every RPC at once, in order. Already known or mined is success.

        Returns what was refused, in words; nothing where every RPC took everything.

        Raises:
            UnavailableError: not one RPC took any of them; the text has each one's reason.
        """
        answers = await self._rpcs.gather(lambda node: _offer(node, transactions))
        refused: list[str] = []
        taken: set[str] = set()
        for node, answer in zip(self._rpcs.all, answers, strict=True):
            if isinstance(answer, UnavailableError):
                refused.append(answer.happened)
                continue
            taken |= {hash_ for hash_, words in answer.items() if words is None}
            words = dict.fromkeys(words for words in answer.values() if words is not None)
            refused += [f'{node.name}: it answered "{one}"' for one in words]
        if transactions and not taken:
            raise UnavailableError(
                "No Ethereum RPC took the transactions. " + "; ".join(refused) + ".",
                means="Nothing was sent, as far as can be told.",
            )
        if refused:
            missing = [one.contract for one in transactions if one.hash not in taken]
            log.warning("broadcast_partly_refused", reasons=refused, taken_by_nobody=missing)
        return refused

    async def look(self, transactions: Sequence[SignedTransaction]) -> Look:
        """What has become of them: one request to each RPC.

        Raises:
            UnavailableError: no RPC answered.
        """
        answers = await self._rpcs.gather(lambda node: _seen(node, self.signer, transactions), grace=_GRACE)
        seen = [one for one in answers if not isinstance(one, UnavailableError)]
        silent = [one for one in answers if isinstance(one, UnavailableError)]
        if not seen:
            raise rpc.silent(silent)
        newest = max(seen, key=lambda one: one.block)
        mined: dict[str, Mined] = {}
        for one in seen:
            for transaction, (block, succeeded) in one.receipts.items():
                if transaction not in mined:
                    mined[transaction] = Mined(hash=transaction, block=block, succeeded=succeeded)
        for sent in transactions:
            if sent.hash in mined and not mined[sent.hash].succeeded:
                reason = await self._reason(sent, mined[sent.hash].block)
                mined[sent.hash] = mined[sent.hash].model_copy(update={"reason": reason})
        return Look(
            mined=mined,
            used=max(one.used for one in seen),
            block=newest.block,
            final=max(one.final for one in seen),
            base_fee=newest.base_fee,
            priced_out=frozenset(one.hash for one in transactions if _decoded(one)["maxFeePerGas"] < newest.base_fee),
            silent=tuple(one.happened for one in silent),
        )

    async def mined(self, transactions: Sequence[SignedTransaction]) -> Mapping[str, Mined]:
        """Those that have a receipt at any RPC, by hash.

        Raises:
            UnavailableError: no RPC answered.
        """
        return (await self.look(transactions)).mined

    def _empty(self) -> Call:
        """Nothing, to ourselves: all it does is use up a nonce that holds others up."""
        return Call(contract="", address=self.signer, signature="", calldata="0x")

    async def _market(self) -> _Market:
        address = rpc.checksummed(self.signer)

        async def question(eth: AsyncEth) -> _Market:
            latest, pending, block, tip = await asyncio.gather(
                eth.get_transaction_count(address, "latest"),
                eth.get_transaction_count(address, "pending"),
                eth.get_block("latest"),
                _tip(eth),
            )
            if "baseFeePerGas" not in block:
                raise UnavailableError("its latest block has no base fee, so no fee can be offered")
            return _Market(latest, pending, block["baseFeePerGas"], tip)

        # The highest of each: an RPC that lags behind is common, and its nonces are used up already.
        all_ = await self._rpcs.each(question, grace=_GRACE)
        market = _Market(
            latest=max(one.latest for one in all_),
            pending=max(one.pending for one in all_),
            base_fee=max(one.base_fee for one in all_),
            tip=max(one.tip for one in all_),
        )
        if market.pending > market.latest:
            waiting = market.pending - market.latest
            log.warning("signer_has_unmined_transactions", signer=self.signer, waiting=waiting)
        return market

    def _fees(self, market: _Market) -> tuple[int, int]:
        times, over = _HEADROOM
        wanted = (2 * market.base_fee + market.tip) * times // over
        if market.base_fee > self._max_fee:
            log.warning("base_fee_above_cap", base_fee=market.base_fee, max_fee=self._max_fee)
        max_fee = min(wanted, self._max_fee)
        return max_fee, min(market.tip, max_fee)

    async def _sign(self, call: Call, nonce: int, max_fee: int, tip: int) -> SignedTransaction:
        signed = await self._signer.sign(
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": nonce,
                "to": rpc.checksummed(call.address),
                "value": 0,
                "data": call.calldata,
                "gas": GAS,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        return SignedTransaction(
            contract=call.contract, address=call.address, nonce=nonce, hash=signed.hash, raw=signed.raw
        )

    async def _reason(self, transaction: SignedTransaction, block: int) -> str:
        """Why it reverted: the same call again, at the end of its block and at the end of the one before."""
        if transaction.hash not in self._reasons:
            self._reasons[transaction.hash] = await self._asked_why(transaction, block)
        return self._reasons[transaction.hash]

    async def _asked_why(self, transaction: SignedTransaction, block: int) -> str:
        sent = _decoded(transaction)
        sender = Account.recover_transaction(transaction.raw)
        calldata = "0x" + sent["data"].hex()
        for at in (block, block - 1):
            try:
                await self._rpcs.first(
                    rpc.call(transaction.address, calldata, sender=sender, gas=sent["gas"], block=at)
                )
            except RevertedError as error:
                return error.happened
            except UnavailableError as error:
                return f"the reason could not be read: {error.happened}"
        return "the reason is not known: the same call succeeds now"


async def _tip(eth: AsyncEth) -> int:
    try:
        return max(_TIP, await eth.max_priority_fee)
    except Web3RPCError:
        return _TIP


async def _offer(node: Rpc, transactions: Sequence[SignedTransaction]) -> Mapping[str, str | None]:
    """One RPC's answer by hash: None where it has the transaction, else its words."""
    words = dict(
        zip((one.hash for one in transactions), await node.send([one.raw for one in transactions]), strict=True)
    )
    for hash_, refusal in words.items():
        if refusal is not None and await _has(node, hash_, refusal):
            words[hash_] = None
    return words


async def _has(node: Rpc, hash_: str, refusal: str) -> bool:
    """Whether a node that refused a transaction has this very one, waiting or mined ("nonce too low")."""
    if any(known in refusal.lower() for known in _KNOWN):
        return True

    async def known(eth: AsyncEth) -> bool:
        try:
            return bool(await eth.get_transaction(HexStr(hash_)))
        except TransactionNotFound:
            return False

    try:
        return await node.ask(known)
    except UnavailableError:
        return False


@dataclass(frozen=True)
class _Seen:
    """What one RPC says of transactions that were sent."""

    receipts: Mapping[str, tuple[int, bool]]
    """Block and success, by hash."""
    used: int
    block: int
    base_fee: int
    final: int


async def _seen(node: Rpc, signer: str, transactions: Sequence[SignedTransaction]) -> _Seen:
    asked: list[tuple[str, Sequence[Any]]] = [("eth_getTransactionReceipt", [one.hash]) for one in transactions]
    asked += [
        ("eth_getTransactionCount", [signer, "latest"]),
        ("eth_getBlockByNumber", ["latest", False]),
        ("eth_getBlockByNumber", ["finalized", False]),
    ]
    *receipts, used, head, final = await node.batch(asked)
    if not isinstance(used, str) or not isinstance(head, dict):
        raise UnavailableError(f"{node.name}: it knows no block, or no nonce")
    block = int(head["number"], 16)
    return _Seen(
        receipts={
            one.hash: (int(receipt["blockNumber"], 16), int(receipt["status"], 16) == 1)
            for one, receipt in zip(transactions, receipts, strict=True)
            if isinstance(receipt, dict) and receipt.get("transactionHash") == one.hash
        },
        used=int(used, 16),
        block=block,
        base_fee=int(head.get("baseFeePerGas", "0x0"), 16),
        final=int(final["number"], 16) if isinstance(final, dict) else block - _DEEP,
    )


def _decoded(transaction: SignedTransaction) -> dict[str, Any]:
    """The fields of its bytes."""
    return dict(TypedTransaction.from_bytes(HexBytes(transaction.raw)).as_dict())
