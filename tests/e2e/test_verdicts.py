"""Every verdict of every runbook: a fault in the practice world produces it, and the posted words are read.

The chain remembers: prices written and shares lost stay in its logs when a fault is mended. So the rows of one runbook
stand in an order in which none is haunted by the one before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.world.practice import Practice, share_price, until, written

CHANNEL = "musd-infra"
Fault = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A fault, whose diagnosis to ask for, and words that its verdict must hold."""

    name: str
    runbook: str
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


PAUSE_ALL = "Pause BorrowModule, SMUSD, DirectMintV2, BLEBridgeV9…"
BACK_UP = ("Back up the ledger's database…",)
RELAY = ("Restart musd-relay…",)
CASES = (
    Case(
        "relay well",
        "relay-down",
        (),
        ("Healthy again: the relay runs and answers", "7575 reachable from"),
        ready="1 of 1 ready",
    ),
    Case(
        "the relay dies at every start",
        "relay-down",
        (world("relay-crashloop"),),
        ("step 1 applies", "CrashLoopBackOff", "its log ends with: FATAL config: RELAYER"),
        RELAY,
        ready="0 of 1 ready: CrashLoopBackOff",
    ),
    Case(
        "the relay's memory",
        "relay-down",
        (world("relay-oom"),),
        ("step 2 applies", "was OOMKilled (memory limit: 512Mi, last usage: 508Mi at "),
        ("Raise the memory limit of musd-relay", *RELAY),
        ready="OOMKilled",
    ),
    Case(
        "the relay's memory, which nothing measures",
        "relay-down",
        (part("cluster", "metrics-missing"), world("relay-oom")),
        ("step 2 applies", "was OOMKilled (memory limit: 512Mi, last usage: not available)"),
        ("Raise the memory limit of musd-relay", *RELAY),
        ready="OOMKilled",
    ),
    Case(
        "Canton out of the relay's reach",
        "relay-down",
        (part("cluster", "egress-blocked", kind="canton"),),
        ("step 3 applies", "Canton: NOT reachable from musd-relay", "Operation timed out"),
    ),
    Case(
        "Ethereum out of everybody's reach",
        "relay-down",
        (world("relay-connectivity-ethereum"),),
        ("step 3 applies", "Ethereum: NOT reachable from musd-relay"),
    ),
    Case(
        "the relay is unwell",
        "relay-down",
        (world("relay-unhealthy"),),
        ("step 4 applies", "answers 503: supply mismatch"),
        RELAY,
        ready="answers 503",
    ),
    Case("the pause would go through", "emergency-pause", (), ("Recovered", "would go through")),
    Case(
        "the pause would not go through",
        "emergency-pause",
        (part("chain", "role-missing", contract="SMUSD"),),
        ("step 1 applies", "SMUSD", "lacks PAUSER_ROLE"),
        (PAUSE_ALL,),
    ),
    Case(
        "something is paused",
        "emergency-pause",
        (part("chain", "contract-paused", contract="DIRECT_MINT"),),
        ("step 4 applies", "Paused on Ethereum: DirectMintV2"),
        (PAUSE_ALL, "Unpause DirectMintV2…"),
    ),
    Case("keys well", "key-rotation", (), ("Recovered", "relayer 0x")),
    Case(
        "a key long in use",
        "key-rotation",
        (part("aws", "kms-old", which="validator-2", days=500),),
        ("step 1 applies", "Older than 365 days: musd-validator-2", "updateValidator"),
    ),
    Case(
        "a key that can't sign",
        "key-rotation",
        (part("aws", "kms-disabled", which="validator-3"),),
        ("step 2 applies", "musd-validator-3: the key is DISABLED"),
    ),
    Case("ratio well", "reserve-ratio", (), ("Recovered", "101.0490 %")),
    Case(
        "ratio 97.3",
        "reserve-ratio",
        (world("reserve-ratio", percent="97.3"),),
        ("step 1 applies", "97.3000 %", "Pending strategy yield of 43,500.00", "MEDIUM"),
    ),
    Case(
        "ratio 94.1",
        "reserve-ratio",
        (world("reserve-ratio", percent="94.1"),),
        ("step 2 applies", "94.1000 %"),
        ("Pause DirectMintV2…",),
    ),
    Case(
        "ratio 89.9",
        "reserve-ratio",
        (world("reserve-ratio", percent="89.9"),),
        ("step 3 applies", "89.9000 %"),
        (PAUSE_ALL,),
    ),
    # Liquidations before the oracle's other rows: each mended fall is a jump that came back.
    Case("liquidations well", "liquidation-surge", (), ("Recovered", "Chainlink")),
    Case(
        "the liquidation bot dies",
        "liquidation-surge",
        (world("liquidation-bot-down"),),
        ("step 3 applies", "CrashLoopBackOff", "insufficient funds"),
        ("Restart liquidation-bot…",),
        ready="0 of 1 ready: CrashLoopBackOff",
    ),
    Case(
        "gas too dear for the bot",
        "liquidation-surge",
        (part("chain", "base-fee", factor=200),),
        ("step 3 applies", "the bot's limit is 120 gwei: it can't send"),
        ("Restart liquidation-bot…",),
    ),
    Case(
        "a genuine crash",
        "liquidation-surge",
        (world("market-crash"),),
        ("step 1 applies", "let the liquidations proceed", "25 in 10 min", "within 10 % of the market"),
    ),
    Case(
        "a manipulated oracle",
        "liquidation-surge",
        (world("oracle-manipulated"),),
        ("step 2 applies", "manipulation suspected", "off the market", "CRITICAL"),
        ("Pause oracle updates…", "Pause BorrowModule…"),
    ),
    Case(
        "a spike that reverts",
        "liquidation-surge",
        (part("chain", "oracle-spike", percent=60),),
        ("step 2 applies", "came back by itself"),
        ("Pause oracle updates…", "Pause BorrowModule…"),
    ),
    Case("oracle well", "oracle-stale", (), ("Recovered", "Bearer $TEMPLE_JWT")),
    Case(
        "the first source down",
        "oracle-stale",
        (world("oracle-api-down"),),
        ("step 1 applies", "HTTP 503", "The fallback answers: Temple says", "stale for 5 min, critical in"),
        ("Switch the oracle's source to the fallback…",),
    ),
    Case(
        "both sources down",
        "oracle-stale",
        (part("prices", "temple-down"), world("oracle-api-down")),
        ("step 1 applies", "The fallback does not answer either"),
    ),
    Case(
        "the fallback's token refused",
        "oracle-stale",
        (part("prices", "temple-unauthorized"), world("oracle-api-down")),
        ("step 1 applies", "refuses our credentials"),
    ),
    Case(
        "a price to write by hand",
        "oracle-stale",
        (part("chain", "oracle-stale", age=6000),),
        ("step 3 applies", "CRITICAL since", "the value to write is 0.1"),
    ),
    Case(
        "Canton's feed is stale",
        "oracle-stale",
        (part("ledger", "price-stale", seconds=9000),),
        ("step 3 applies", "Price feed on Canton", "the value to write is 0.1"),
        ("Propose on Canton: Set Canton's CTN price to 0.1",),
    ),
    Case("the circuit breaker", "oracle-stale", (part("chain", "oracle-breaker"),), ("CircuitBreakerActive",)),
    Case("the feed is off", "oracle-stale", (part("chain", "oracle-disabled"),), ("FeedNotEnabled",)),
    Case(
        "more than half off",
        "oracle-stale",
        (part("chain", "oracle-move", percent=-60),),
        ("step 4 applies", "emergency override", "more than 50 % apart", "CRITICAL"),
    ),
    # The last one: its complaint stays the newest word about prices for a while.
    Case(
        "the relay does not sync",
        "oracle-stale",
        (world("relay-not-syncing"),),
        ("step 2 applies", "price sync CC/USD failed"),
        ("Restart musd-relay…",),
    ),
    # Losses before the drain: what left the vault unexplained stays in the hour's logs.
    Case("share price well", "share-price", (), ("Recovered", "21 decimals")),
    Case(
        "a small reported loss",
        "share-price",
        (part("chain", "share-price-drop", percent=3),),
        ("step 3 applies", "within the 10 % cap", "look at transaction 0x", "MEDIUM"),
    ),
    Case(
        "a reported loss",
        "share-price",
        (part("chain", "share-price-drop", percent=8),),
        ("step 1 applies", "look at transaction 0x", "reentrancy", "fell by 8.0"),
        ("Pause SMUSD…",),
    ),
    Case(
        "a drained vault",
        "share-price",
        (part("chain", "share-price-drop", percent=8, kind="donation"),),
        ("step 2 applies", "manipulated", "no report of a loss, last in transaction 0x"),
        ("Pause SMUSD…",),
    ),
    Case("participant well", "canton-participant-down", (), ("Recovered",), ready="1 of 1 ready"),
    Case(
        "the participant dies",
        "canton-participant-down",
        (world("participant-down"),),
        ("Restart the participant", "CrashLoopBackOff"),
        ("Restart canton-participant…",),
        ready="0 of 1 ready: CrashLoopBackOff",
    ),
    Case(
        "the disk below it is full",
        "canton-participant-down",
        (world("database-full", percent=100),),
        ("make room before any restart", "100 % full"),
    ),
    Case(
        "the database below it is down",
        "canton-participant-down",
        (world("database-down"),),
        ("bring PostgreSQL back first", "no response"),
    ),
    Case(
        "a network policy is gone",
        "canton-participant-down",
        (part("cluster", "networkpolicy-missing", name="allow-canton"),),
        ("A network policy is gone", "allow-canton"),
    ),
    Case(
        "nobody reaches the participant",
        "canton-participant-down",
        (part("ledger", "down"),),
        ("nobody reaches it", "not reachable from the bot"),
    ),
    Case("database well", "database-recovery", (), ("Recovered", "taken", "no replica"), ready="1 of 1 ready"),
    Case(
        "disk nearly full", "database-recovery", (world("database-full", percent=91),), ("Space", "91 % full"), BACK_UP
    ),
    Case(
        "the database is down",
        "database-recovery",
        (world("database-down"),),
        ("Restore", "PostgreSQL does not answer", "Newest backup: nightly/"),
    ),
    Case(
        "no connection left",
        "database-recovery",
        (world("database-crowded"),),
        ("Connections are used up", "too many clients"),
        ("Restart canton-participant…",),
    ),
    Case(
        "a backup overdue",
        "database-recovery",
        (world("backup-overdue", hours=72),),
        ("A backup is overdue", "72 h 00 min old", "one is due every 26 h"),
        BACK_UP,
    ),
    Case(
        "no backup at all",
        "database-recovery",
        (part("aws", "backup-missing"),),
        ("There is no backup at all",),
        BACK_UP,
    ),
    Case(
        "a replica is behind",
        "database-recovery",
        (part("cluster", "replica-behind", seconds=540),),
        ("A replica is behind", "canton-postgres-1: streaming, 540 s behind", "Don't fail over to it"),
    ),
    Case("supply well", "supply-cap", (), ("Recovered",)),
    *(
        Case(
            f"supply breached by {path}",
            "supply-cap",
            (world("supply-breach", path=argument),),
            (
                "step 1 applies",
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
        (part("ledger", "supply", amount=30_000_000),),
        ("step 1 applies", "30,000,000.00 on Canton", "look at Canton"),
        (PAUSE_ALL,),
    ),
    Case(
        "Canton silent is not within the cap",
        "supply-cap",
        (part("ledger", "unauthorized"),),
        ("No resolution step is proven", "No answer from: Supply on Canton"),
    ),
    Case("validators well", "validator-down", (), ("Recovered",)),
    Case(
        "one validator",
        "validator-down",
        (part("cluster", "validator-down", which="2"),),
        ("step 1 applies", "normal priority", "musd-validator-2", "MEDIUM"),
        ("Restart musd-validator-2…",),
        ready="2 of 3 ready",
    ),
    Case(
        "two validators",
        "validator-down",
        (part("cluster", "validator-down", which="1,3"),),
        ("step 2 applies", "attestations are blocked", "musd-validator-1, musd-validator-3"),
        ("Restart musd-validator-1, musd-validator-3…",),
        ready="1 of 3 ready",
    ),
    Case(
        "three validators",
        "validator-down",
        (part("cluster", "validator-down", count=3),),
        ("step 3 applies", "All three validators are down"),
        (PAUSE_ALL, "Restart musd-validator-1, musd-validator-2, musd-validator-3…"),
        ready="0 of 3 ready",
    ),
    Case(
        "two stale heartbeats",
        "validator-down",
        (part("cluster", "heartbeat-stale", which="1,2"),),
        ("step 2 applies", "10 min old"),
        ("Restart musd-validator-1, musd-validator-2…",),
    ),
    Case(
        "a disabled key",
        "validator-down",
        (part("aws", "kms-disabled", which="validator-2"),),
        ("step 1 applies", "musd-validator-2", "DISABLED"),
    ),
    Case(
        "keys about to be deleted",
        "validator-down",
        (
            part("aws", "kms-pending-deletion", which="validator-1"),
            part("aws", "kms-pending-deletion", which="validator-3"),
        ),
        ("step 2 applies", "PENDING DELETION"),
    ),
    Case(
        "KMS denies",
        "validator-down",
        (part("aws", "kms-denied", operation="DescribeKey"),),
        ("quorum is not proven", "AccessDenied"),
    ),
    Case("KMS throttles", "validator-down", (part("aws", "kms-throttled"),), ("quorum is not proven", "throttled")),
    Case("AWS away", "validator-down", (part("aws", "down", how="close"),), ("quorum is not proven", "unreachable")),
    Case(
        "one down and one silent",
        "validator-down",
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
    assert [word for word in case.words if word not in text] == [], text
    labels = [button["label"] for button in message["buttons"]]
    beginnings = [label[: len(wanted)] for label, wanted in zip(labels, case.buttons, strict=False)]
    assert [*beginnings, *labels[len(case.buttons) :]] == [*case.buttons, "Run again"]
    return text


def diagnosed(practice: Practice, runbook: str, ready: str = "") -> dict[str, Any] | None:
    """Ask for a diagnosis; its message once it has a verdict, if it holds the words."""
    known = {message["ts"] for message in practice.messages(CHANNEL)}
    assert practice.command("responder-1", f"diagnose {runbook}", CHANNEL)["ok"]

    def closed() -> dict[str, Any] | None:
        fresh = [message for message in practice.messages(CHANNEL) if message["ts"] not in known]
        return next((message for message in fresh if message["buttons"] and "asking" not in written(message)), None)

    message = until(closed)
    return message if ready in written(message) else None
