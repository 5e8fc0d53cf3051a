"""Every verdict of every runbook: a fault in the practice world produces it, and the posted words are read.

The chain remembers: prices written and shares lost stay in its logs when a fault is mended. So the rows of one runbook
stand in an order in which none is haunted by the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.runbooks import discover
from bot.terminal.runbook_steps import SECTIONS
from tests.world.practice import Practice, share_price, until, written

CHANNEL = "musd-infra"
Fault = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A fault, whose diagnosis to ask for, the verdict it must bring, and more words that must be posted with it."""

    name: str
    runbook: str
    verdict: str
    """Its title."""
    faults: tuple[Fault, ...]
    words: tuple[str, ...]
    buttons: tuple[str, ...] = ()
    """How the labels of the offers begin, in order."""
    ready: str = ""
    """Words to wait for where a fault takes its time to show."""


def world(fault: str, **more: Any) -> Fault:
    return {"target": "world", "fault": fault, **more}


def part(target: str, fault: str, **more: Any) -> Fault:
    return {"target": target, "fault": fault, **more}


RUNBOOKS = {key: one for key, one in discover().by_key.items() if one.section in SECTIONS}
"""Those of the runbooks' own sections. One that somebody adds is theirs to practise."""
WELL = "Recovered: nothing is wrong now"
UNPROVEN = "No resolution step is proven"
PAUSE_ALL = "Pause BorrowModule, SMUSD, DirectMintV2, BLEBridgeV9…"
BACK_UP = ("Back up the ledger's database…",)
RELAY = ("Restart musd-relay…",)
CASES = (
    Case(
        "relay well",
        "relay-down",
        "Healthy again: the relay runs and answers",
        (),
        ("7575 reachable from",),
        ready="1 of 1 ready",
    ),
    Case(
        "the relay dies at every start",
        "relay-down",
        "CrashLoopBackOff: start-up error",
        (world("relay-crashloop"),),
        ("is in CrashLoopBackOff", "its log ends with: FATAL config: RELAYER"),
        RELAY,
        ready="0 of 1 ready: CrashLoopBackOff",
    ),
    Case(
        "the relay's memory",
        "relay-down",
        "OOMKilled: raise the memory limit",
        (world("relay-oom"),),
        ("was OOMKilled (memory limit: 512Mi, last usage: 508Mi at ",),
        ("Raise the memory limit of musd-relay", *RELAY),
        ready="OOMKilled",
    ),
    Case(
        "the relay's memory, which nothing measures",
        "relay-down",
        "OOMKilled: raise the memory limit",
        (part("cluster", "metrics-missing"), world("relay-oom")),
        ("was OOMKilled (memory limit: 512Mi, last usage: not available)",),
        ("Raise the memory limit of musd-relay", *RELAY),
        ready="OOMKilled",
    ),
    Case(
        "Canton out of the relay's reach",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (part("cluster", "egress-blocked", kind="canton"),),
        ("Canton: NOT reachable from musd-relay", "Operation timed out"),
    ),
    Case(
        "Ethereum out of everybody's reach",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (world("relay-connectivity-ethereum"),),
        ("Ethereum: NOT reachable from musd-relay",),
    ),
    Case(
        "Canton out of everybody's reach",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (world("relay-connectivity-canton"),),
        ("Canton: NOT reachable from musd-relay", "Canton is not reachable from the bot"),
    ),
    Case(
        "Canton out of the bot's reach alone",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (part("ledger", "down", how="close"),),
        ("Canton is not reachable from the bot", "7575 reachable from"),
    ),
    Case(
        "Ethereum out of the bot's reach alone",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (world("ethereum-down"),),
        ("Ethereum: No Ethereum RPC answered", "443 reachable from"),
    ),
    Case(
        "Ethereum stands still",
        "relay-down",
        "Connectivity: Canton or Ethereum not reachable",
        (part("chain", "head-frozen"),),
        ("the chain, or the RPC, stands still",),
    ),
    Case(
        "the relay is gone",
        "relay-down",
        "Restart the relay",
        (world("relay-down"),),
        ("musd-relay: no pod of musd-relay exists",),
        RELAY,
        ready="no pod of musd-relay exists",
    ),
    Case(
        "the relay is unwell",
        "relay-down",
        "Restart the relay",
        (world("relay-unhealthy"),),
        ("answers 503: supply mismatch",),
        RELAY,
        ready="answers 503",
    ),
    Case("the pause would go through", "emergency-pause", WELL, (), ("would go through",)),
    Case(
        "the pause would not go through",
        "emergency-pause",
        "A pause would NOT go through as it is: mend this before it is needed",
        (part("chain", "role-missing", contract="SMUSD"),),
        ("SMUSD", "lacks PAUSER_ROLE"),
        (PAUSE_ALL,),
    ),
    Case(
        "something is paused",
        "emergency-pause",
        "After the pause: find the cause, deploy the fix, coordinate the unpause",
        (part("chain", "contract-paused", contract="DIRECT_MINT"),),
        ("Paused on Ethereum: DirectMintV2",),
        (PAUSE_ALL, "Unpause DirectMintV2…"),
    ),
    Case("keys well", "key-rotation", WELL, (), ("relayer 0x",)),
    Case(
        "a key long in use",
        "key-rotation",
        "A key is due for rotation",
        (part("aws", "kms-old", which="validator-2", days=500),),
        ("Older than 365 days: musd-validator-2", "updateValidator"),
    ),
    Case(
        "a key that can't sign",
        "key-rotation",
        "A validator's key can't be used: mend or rotate it",
        (part("aws", "kms-disabled", which="validator-3"),),
        ("musd-validator-3: the key is DISABLED",),
    ),
    Case("ratio well", "reserve-ratio", WELL, (), ("101.0490 %",)),
    Case(
        "ratio 97.3",
        "reserve-ratio",
        "Between 95 and 99 %: monitor, and look for pending strategy yield",
        (world("reserve-ratio", percent="97.3"),),
        ("97.3000 %", "Pending strategy yield of 43,500.00", "MEDIUM"),
    ),
    Case(
        "ratio 94.1",
        "reserve-ratio",
        "Between 90 and 95 %: pause new mints until the reserves recover",
        (world("reserve-ratio", percent="94.1"),),
        ("94.1000 %",),
        ("Pause DirectMintV2…",),
    ),
    Case(
        "ratio 89.9",
        "reserve-ratio",
        "Below 90 %: emergency pause, and look for an exploit or a strategy's loss",
        (world("reserve-ratio", percent="89.9"),),
        ("89.9000 %",),
        (PAUSE_ALL,),
    ),
    Case(
        "a strategy that reverts",
        "reserve-ratio",
        "Below 90 %: emergency pause, and look for an exploit or a strategy's loss",
        (part("chain", "strategy-broken"),),
        ("Lending market reverts and counts as nothing",),
        (PAUSE_ALL,),
    ),
    # Liquidations before the oracle's other rows: each mended fall is a jump that came back.
    Case("liquidations well", "liquidation-surge", WELL, (), ("Chainlink",)),
    Case(
        "the liquidation bot dies",
        "liquidation-surge",
        "The liquidation bot malfunctions: restart it, check its gas price limit",
        (world("liquidation-bot-down"),),
        ("CrashLoopBackOff", "insufficient funds"),
        ("Restart liquidation-bot…",),
        ready="0 of 1 ready: CrashLoopBackOff",
    ),
    Case(
        "gas too dear for the bot",
        "liquidation-surge",
        "The liquidation bot malfunctions: restart it, check its gas price limit",
        (part("chain", "base-fee", factor=200),),
        ("the bot's limit is 120 gwei: it can't send",),
        ("Restart liquidation-bot…",),
    ),
    Case(
        "a genuine crash",
        "liquidation-surge",
        "Prices are genuinely falling: let the liquidations proceed",
        (world("market-crash"),),
        ("25 in 10 min", "within 10 % of the market"),
    ),
    Case(
        "a manipulated oracle",
        "liquidation-surge",
        "Oracle manipulation suspected: pause oracle updates and investigate",
        (world("oracle-manipulated"),),
        ("off the market", "CRITICAL"),
        ("Pause oracle updates…", "Pause BorrowModule…"),
    ),
    Case(
        "a spike that reverts",
        "liquidation-surge",
        "Oracle manipulation suspected: pause oracle updates and investigate",
        (part("chain", "oracle-spike", percent=60),),
        ("came back by itself",),
        ("Pause oracle updates…", "Pause BorrowModule…"),
    ),
    Case("oracle well", "oracle-stale", WELL, (), ("Bearer $TEMPLE_JWT",)),
    Case(
        "the first source down",
        "oracle-stale",
        "The first price source is down: switch to the fallback",
        (world("oracle-api-down"),),
        ("HTTP 503", "The fallback answers: Temple says", "stale for 5 min, critical in"),
        ("Switch the oracle's source to the fallback…",),
    ),
    Case(
        "both sources down",
        "oracle-stale",
        "The first price source is down: switch to the fallback",
        (part("prices", "temple-down"), world("oracle-api-down")),
        ("The fallback does not answer either",),
    ),
    Case(
        "the fallback's token refused",
        "oracle-stale",
        "The first price source is down: switch to the fallback",
        (part("prices", "temple-unauthorized"), world("oracle-api-down")),
        ("refuses our credentials",),
    ),
    Case(
        "a price to write by hand",
        "oracle-stale",
        "Manual price update: the sources answer, the price stays stale",
        (part("chain", "oracle-stale", age=6000),),
        ("CRITICAL since", "the value to write is 0.1"),
    ),
    Case(
        "Canton's feed is stale",
        "oracle-stale",
        "Manual price update: the sources answer, the price stays stale",
        (part("ledger", "price-stale", seconds=9000),),
        ("Price feed on Canton", "the value to write is 0.1"),
        ("Propose on Canton: Set Canton's CTN price to 0.1",),
    ),
    Case(
        "the circuit breaker",
        "oracle-stale",
        "The oracle refuses a fresh price: its circuit breaker, or a feed that is switched off",
        (part("chain", "oracle-breaker"),),
        ("CircuitBreakerActive",),
    ),
    Case(
        "the feed is off",
        "oracle-stale",
        "The oracle refuses a fresh price: its circuit breaker, or a feed that is switched off",
        (part("chain", "oracle-disabled"),),
        ("FeedNotEnabled",),
    ),
    Case(
        "more than half off",
        "oracle-stale",
        "The price moved by more than 50 %: emergency override",
        (part("chain", "oracle-move", percent=-60),),
        ("more than 50 % apart", "CRITICAL"),
    ),
    Case(
        "the market falls by more than half",
        "oracle-stale",
        "The price moved by more than 50 %: emergency override",
        (part("prices", "spike-and-revert", percent=-60, seconds=86_400),),
        ("more than 50 % apart", "The value to write is 0.06", "30 minutes after the last update"),
        ("Propose on Canton: Override Canton's CTN price with 0.06",),
    ),
    # The last one: its complaint stays the newest word about prices for a while.
    Case(
        "the relay does not sync",
        "oracle-stale",
        "The relay does not sync prices",
        (world("relay-not-syncing"),),
        ("price sync CC/USD failed",),
        ("Restart musd-relay…",),
    ),
    # Losses before the drain: what left the vault unexplained stays in the hour's logs.
    Case("share price well", "share-price", WELL, (), ("21 decimals",)),
    Case(
        "a small reported loss",
        "share-price",
        "A reported loss within the 10 % cap",
        (part("chain", "share-price-drop", percent=3),),
        ("within the 10 % cap", "look at transaction 0x", "MEDIUM"),
    ),
    Case(
        "a reported loss",
        "share-price",
        "A strategy reported a loss: verify that it is genuine",
        (part("chain", "share-price-drop", percent=8),),
        ("look at transaction 0x", "reentrancy", "fell by 8.0"),
        ("Pause SMUSD…",),
    ),
    Case(
        "more losses than the cap allows one",
        "share-price",
        "The share price was manipulated: emergency pause of staking",
        (part("chain", "share-price-drop", percent=8), part("chain", "share-price-drop", percent=8)),
        ("more than one reported loss may take (10 %)",),
        ("Pause SMUSD…",),
    ),
    Case(
        "a drained vault",
        "share-price",
        "The share price was manipulated: emergency pause of staking",
        (part("chain", "share-price-drop", percent=8, kind="donation"),),
        ("no report of a loss, last in transaction 0x",),
        ("Pause SMUSD…",),
    ),
    Case("participant well", "canton-participant-down", WELL, (), (), ready="1 of 1 ready"),
    Case(
        "the participant dies",
        "canton-participant-down",
        "Restart the participant, and read its log",
        (world("participant-down"),),
        ("is in CrashLoopBackOff",),
        ("Restart canton-participant…",),
        ready="0 of 1 ready: CrashLoopBackOff",
    ),
    Case(
        "the disk below it is full",
        "canton-participant-down",
        "The database's disk is full: make room before any restart",
        (world("database-full", percent=100),),
        ("100 % full",),
    ),
    Case(
        "the database below it is down",
        "canton-participant-down",
        "The database does not answer: bring PostgreSQL back first",
        (world("database-down"),),
        ("no response",),
    ),
    Case(
        "a network policy is gone",
        "canton-participant-down",
        "A network policy is gone: put it back",
        (part("cluster", "networkpolicy-missing", name="allow-canton"),),
        ("NetworkPolicy allow-canton is gone",),
    ),
    Case(
        "nobody reaches the participant",
        "canton-participant-down",
        "Network: the pod runs, and nobody reaches it",
        (part("ledger", "down"),),
        ("not reachable from the bot",),
    ),
    Case(
        "the participant lives and can't serve",
        "canton-participant-down",
        "Restart the participant, and read its log",
        (part("ledger", "not-ready"),),
        ("Canton's process lives, and answers 503 on /readyz",),
        ("Restart canton-participant…",),
    ),
    Case("database well", "database-recovery", WELL, (), ("taken", "no replica"), ready="1 of 1 ready"),
    Case(
        "disk nearly full",
        "database-recovery",
        "Space: the disk is nearly full",
        (world("database-full", percent=91),),
        ("91 % full",),
        BACK_UP,
    ),
    Case(
        "the database is down",
        "database-recovery",
        "Restore: the database does not answer",
        (world("database-down"),),
        ("PostgreSQL does not answer", "Newest backup: nightly/"),
    ),
    Case(
        "no connection left",
        "database-recovery",
        "Connections are used up",
        (world("database-crowded"),),
        ("too many clients",),
        ("Restart canton-participant…",),
    ),
    Case(
        "a backup overdue",
        "database-recovery",
        "A backup is overdue: take one now",
        (world("backup-overdue", hours=72),),
        ("72 h 00 min old", "one is due every 26 h"),
        BACK_UP,
    ),
    Case(
        "no backup at all",
        "database-recovery",
        "A backup is overdue: take one now",
        (part("aws", "backup-missing"),),
        ("There is no backup at all",),
        BACK_UP,
    ),
    Case(
        "a replica is behind",
        "database-recovery",
        "A replica is behind",
        (part("cluster", "replica-behind", seconds=540),),
        ("canton-postgres-1: streaming, 540 s behind", "Don't fail over to it"),
    ),
    Case("supply well", "supply-cap", WELL, (), ()),
    *(
        Case(
            f"supply breached by {path}",
            "supply-cap",
            "Supply above its cap: emergency pause at once",
            (world("supply-breach", path=argument),),
            (
                "above the cap of 40,000,000.00",
                f"The path that minted it: {path}, last in transaction 0x",
                "no unpause",
            ),
            (PAUSE_ALL,),
        )
        for argument, path in (("lending", "Lending"), ("direct", "DirectMint"), ("bridge", "Bridge"))
    ),
    Case(
        "supply breached on Canton",
        "supply-cap",
        "Supply above its cap: emergency pause at once",
        (part("ledger", "supply", amount=30_000_000),),
        ("30,000,000.00 on Canton", "look at Canton"),
        (PAUSE_ALL,),
    ),
    Case(
        "Canton silent is not within the cap",
        "supply-cap",
        UNPROVEN,
        (part("ledger", "unauthorized"),),
        ("No answer from: Supply on Canton",),
    ),
    Case("validators well", "validator-down", WELL, (), ()),
    Case(
        "one validator",
        "validator-down",
        "One validator is down: fix at normal priority",
        (part("cluster", "validator-down", which="2"),),
        ("musd-validator-2: down", "MEDIUM"),
        ("Restart musd-validator-2…",),
        ready="2 of 3 ready",
    ),
    Case(
        "two validators",
        "validator-down",
        "Two validators are down: attestations are blocked, restart them now",
        (part("cluster", "validator-down", which="1,3"),),
        ("musd-validator-1, musd-validator-3: down",),
        ("Restart musd-validator-1, musd-validator-3…",),
        ready="1 of 3 ready",
    ),
    Case(
        "two validators, and Canton out of reach",
        "validator-down",
        "Two validators are down: attestations are blocked, restart them now",
        (
            part("cluster", "validator-down", which="1,3"),
            part("cluster", "networkpolicy-missing", name="allow-canton"),
            part("ledger", "down", how="close"),
        ),
        ("musd-validator-1, musd-validator-3: down", "Canton: ", "NetworkPolicies: allow-canton missing"),
        ("Restart musd-validator-1, musd-validator-3…",),
        ready="1 of 3 ready",
    ),
    Case(
        "three validators",
        "validator-down",
        "All three validators are down: emergency pause",
        (part("cluster", "validator-down", count=3),),
        ("None is proven up",),
        (PAUSE_ALL, "Restart musd-validator-1, musd-validator-2, musd-validator-3…"),
        ready="0 of 3 ready",
    ),
    Case(
        "two stale heartbeats",
        "validator-down",
        "Two validators are down: attestations are blocked, restart them now",
        (part("cluster", "heartbeat-stale", which="1,2"),),
        ("10 min old",),
        ("Restart musd-validator-1, musd-validator-2…",),
    ),
    Case(
        "a disabled key",
        "validator-down",
        "One validator is down: fix at normal priority",
        (part("aws", "kms-disabled", which="validator-2"),),
        ("musd-validator-2", "DISABLED"),
    ),
    Case(
        "keys about to be deleted",
        "validator-down",
        "Two validators are down: attestations are blocked, restart them now",
        (
            part("aws", "kms-pending-deletion", which="validator-1"),
            part("aws", "kms-pending-deletion", which="validator-3"),
        ),
        ("PENDING DELETION",),
    ),
    Case(
        "KMS denies",
        "validator-down",
        "The quorum is not proven: find out about the silent ones before you rely on it",
        (part("aws", "kms-denied", operation="DescribeKey"),),
        ("AccessDenied",),
    ),
    Case(
        "KMS throttles",
        "validator-down",
        "The quorum is not proven: find out about the silent ones before you rely on it",
        (part("aws", "kms-throttled"),),
        ("throttled",),
    ),
    Case(
        "AWS away",
        "validator-down",
        "The quorum is not proven: find out about the silent ones before you rely on it",
        (part("aws", "down", how="close"),),
        ("unreachable",),
    ),
    Case(
        "one down and one silent",
        "validator-down",
        "The quorum is not proven: find out about the silent ones before you rely on it",
        (part("cluster", "validator-down", which="1"), part("cluster", "exec-exit", code=137)),
        ("Quorum not proven", "1 down", "1 UNKNOWN"),
        ready="2 of 3 ready",
    ),
)


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    running = Practice()
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _mended(practice: Practice) -> Iterator[None]:
    yield
    practice.mend()


def test_a_share_of_21_decimals_is_told_by_them(practice: Practice) -> None:
    told = f"{share_price(practice, 21):.6f} mUSD a share at block"
    text = written(until(lambda: diagnosed(practice, "share-price", told)))
    assert "(21 decimals)" in text


def test_a_relay_that_was_mended_is_healthy_again(practice: Practice) -> None:
    practice.post("/faults", **world("relay-crashloop"))
    until(lambda: diagnosed(practice, "relay-down", "step 1 applies"))
    practice.mend()
    text = written(until(lambda: diagnosed(practice, "relay-down", "Healthy again: the relay runs and answers")))
    assert "Step 5: /health answers 200" in text


HALF_WAY = "A rotation stopped half-way"
"""Seen in test_rotation.py, which has a rotation to stop."""


def test_every_verdict_there_is_is_produced_by_a_fault() -> None:
    declared = {(book.key, one.title) for book in RUNBOOKS.values() for one in book.resolutions}
    declared |= {(book.key, book.again) for book in RUNBOOKS.values()}
    produced = {(case.runbook, case.verdict) for case in CASES} | {("key-rotation", HALF_WAY)}
    assert produced == {*declared, ("supply-cap", UNPROVEN)}


def test_every_offer_of_a_verdict_is_seen_as_a_button() -> None:
    offering = {
        (book.key, one.title) for book in RUNBOOKS.values() for one in book.resolutions if one.offer or one.offering
    }
    assert offering - {(case.runbook, case.verdict) for case in CASES if case.buttons} == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_fault_brings_its_verdict(practice: Practice, case: Case) -> None:
    if case.runbook == "validator-down":
        until(lambda: diagnosed(practice, "validator-down", "3 of 3 ready"))
    brings_its_verdict(practice, case)


def brings_its_verdict(practice: Practice, case: Case) -> str:
    """The posted words, which hold the verdict's, above the offers that it makes."""
    for fault in case.faults:
        practice.post("/faults", **fault)
    message = until(lambda: diagnosed(practice, case.runbook, case.ready))
    text = written(message)
    assert headline(case) in text, text
    assert [word for word in case.words if word not in text] == [], text
    labels = [button["label"] for button in message["buttons"]]
    beginnings = [label[: len(wanted)] for label, wanted in zip(labels, case.buttons, strict=False)]
    assert [*beginnings, *labels[len(case.buttons) :]] == [*case.buttons, "Run again"]
    return text


def headline(case: Case) -> str:
    """The verdict as it is posted, with the runbook's own number."""
    step = next((one.step for one in RUNBOOKS[case.runbook].resolutions if one.title == case.verdict), "")
    return f"Resolution step {step} applies: {case.verdict}" if step else f": {case.verdict}"


def diagnosed(practice: Practice, runbook: str, ready: str = "") -> dict[str, Any] | None:
    """Ask for a diagnosis; its message once it has a verdict, if it holds the words."""
    known = {message["ts"] for message in practice.messages(CHANNEL)}
    assert practice.command("responder-1", f"diagnose {runbook}", CHANNEL)["ok"]

    def closed() -> dict[str, Any] | None:
        fresh = [message for message in practice.messages(CHANNEL) if message["ts"] not in known]
        return next((message for message in fresh if message["buttons"] and "asking" not in written(message)), None)

    message = until(closed)
    return message if ready in written(message) else None
