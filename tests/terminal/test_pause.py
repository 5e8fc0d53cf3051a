"""`musd-bot pause`: through the running bot, by itself, and without any store, on a real chain."""

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pyotp
import pytest
from pydantic import SecretStr

from bot.adapters.local_record import read
from bot.adapters.store import SqlStore, migrate
from bot.drill.chain import Chain
from bot.drill.people import PEOPLE
from bot.engine.second_factor import derived
from bot.errors import MalformedError
from bot.settings import Settings
from bot.wiring.braking import import_records
from tests.world import warm
from tests.world.onchain import paused
from tests.world.practice import PAUSABLE, Practice, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECRET = "a-secret-behind-the-codes-of-everybody"
GUARDIAN = next(person.id for person in PEOPLE if person.roles[:1] == ("guardian",))
RESPONDER = next(person.id for person in PEOPLE if person.roles[:1] == ("responder",))
REASON = "--reason=an attacker drains the bridge"


def settings(folder: Path, urls: tuple[str, ...], contracts: Mapping[str, str], keys: Path) -> dict[str, str]:
    """The environment of somebody at a terminal."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "NO_PROXY": "*",
        "MUSD_DATA_DIR": str(folder),
        "MUSD_SLACK_BOT_TOKEN": "xoxb-nobody",
        "MUSD_SLACK_APP_TOKEN": "xapp-nobody",
        "MUSD_ALERTMANAGER_TOKEN": "nobody's",
        "MUSD_RPC_URLS": ",".join(urls),
        "MUSD_CHAIN_ID": "31337",
        "MUSD_KEYSTORE": str(keys / "pausing-key.json"),
        "MUSD_KEYSTORE_PASSWORD_FILE": str(keys / "pausing-key.password"),
        "MUSD_GUARDIANS": GUARDIAN,
        "MUSD_TERMINAL_PEOPLE": f"{GUARDIAN}=1,{RESPONDER}",
        "MUSD_SECOND_FACTOR_SECRET": SECRET,
        **contracts,
    }


def of(chain: Chain, folder: Path, **more: str) -> dict[str, str]:
    return settings(folder, chain.rpc_urls, chain.contracts, chain.keystore.parent) | more


def code(person: str = GUARDIAN) -> str:
    return pyotp.TOTP(derived(SecretStr(SECRET), person, 1)).now()


async def enrolled(url: str) -> None:
    """A database in which the guardian has a second factor."""
    await migrate(url)
    store = SqlStore(url)
    await store.enrol(GUARDIAN)
    await store.close()


async def musd_bot(environment: dict[str, str], *arguments: str, typed: tuple[str, ...]) -> tuple[int, str]:
    """Run it as a person does; its exit code, and everything on the screen."""
    running = await asyncio.create_subprocess_exec(
        *warm.program("pause", *arguments),
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(running.communicate("".join(f"{line}\n" for line in typed).encode()), 60)
    assert running.returncode is not None
    return running.returncode, output.decode()


async def test_nobody_leads_so_it_is_sent_from_here_and_on_record_in_the_store(chain: Chain, tmp_path: Path) -> None:
    await enrolled(f"sqlite:///{tmp_path}/musd-bot.db")
    ended, screen = await musd_bot(of(chain, tmp_path), REASON, "--as", GUARDIAN, typed=(code(), "PAUSE"))
    assert ended == 0, screen
    assert await paused(chain) == [True] * 4
    for words in ("1. BorrowModule.pause()", "repaying stops too", "Canton's services stay", "COMPLETE."):
        assert words in screen
    assert len(re.findall(r"^ +0x[0-9a-f]{64}$", screen, re.MULTILINE)) == 4
    store = SqlStore(f"sqlite:///{tmp_path}/musd-bot.db")
    rows = await store.audit_trail(20)
    await store.close()
    assert [row.what for row in rows] == ["proposal", "vote", *["step"] * 4]
    assert {row.actor for row in rows} == {GUARDIAN, "bot"}


async def test_a_code_is_taken_once(chain: Chain, tmp_path: Path) -> None:
    await enrolled(f"sqlite:///{tmp_path}/musd-bot.db")
    once = code()
    await musd_bot(of(chain, tmp_path), REASON, "--only=mints", "--as", GUARDIAN, typed=(once, "no"))

    ended, screen = await musd_bot(of(chain, tmp_path), REASON, "--only=mints", "--as", GUARDIAN, typed=(once, "PAUSE"))

    assert (ended, "That code was used already." in screen) == (2, True), screen


async def test_without_the_store_it_is_sent_from_key_and_rpc_alone_and_written_down(
    chain: Chain, tmp_path: Path
) -> None:
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    ended, screen = await musd_bot(
        of(chain, tmp_path, **away), REASON, "--only=mints", "--as", GUARDIAN, typed=(code(), "PAUSE")
    )
    assert ended == 0, screen
    assert await paused(chain) == [False, False, True, False]
    assert "Without the store: " in screen
    assert "mUSD can still be minted by borrowing" in screen
    [record] = (tmp_path / "terminal").glob("*.jsonl")
    assert [row.what for row in read(record)] == ["proposal", "vote", "step"]
    assert record.stat().st_mode & 0o077 == 0
    signed = [json.loads(line)["signed"] for line in record.read_text().splitlines() if "signed" in json.loads(line)]
    assert [one["contract"] for one in signed] == ["DIRECT_MINT"]


async def test_a_record_that_somebody_changed_is_not_believed(chain: Chain, tmp_path: Path) -> None:
    await musd_bot(of(chain, tmp_path), REASON, "--alone", "--as", GUARDIAN, typed=(code(), "PAUSE"))
    [record] = (tmp_path / "terminal").glob("*.jsonl")
    record.write_text(record.read_text().replace("an attacker", "a friend"))
    with pytest.raises(MalformedError, match="does not follow the line before it"):
        read(record)


@pytest.mark.parametrize(
    ("person", "typed", "words"),
    [
        (GUARDIAN, ("000000", "PAUSE"), "That code is not right now. Your approval was not counted."),
        (GUARDIAN, ("", "yes"), "You did not type PAUSE. Nothing was sent."),
        (RESPONDER, ("", "PAUSE"), f"{RESPONDER} is no guardian by the configuration. Nothing was sent."),
        ("U0STRANGER", ("", "PAUSE"), "U0STRANGER is not configured for the terminal. Nothing was sent."),
    ],
)
async def test_without_the_right_person_code_and_word_nothing_is_sent(
    chain: Chain, tmp_path: Path, person: str, typed: tuple[str, ...], words: str
) -> None:
    entered = (typed[0] or code(), typed[1])
    ended, screen = await musd_bot(of(chain, tmp_path), REASON, "--as", person, typed=entered)
    assert (ended, words in screen) == (2, True), screen
    assert await paused(chain) == [False] * 4


async def test_where_the_bot_runs_it_carries_it_out_and_tells_slack(tmp_path: Path) -> None:
    running = await asyncio.to_thread(Practice, data=tmp_path)
    try:
        environment = settings(
            tmp_path / "bot", (running.world["rpc"],), running.world["contracts"], tmp_path / "chain"
        )
        await enrolled(f"sqlite:///{tmp_path}/bot/musd-bot.db")
        ended, screen = await musd_bot(environment, REASON, "--as", GUARDIAN, typed=(code(), "PAUSE"))
        assert ended == 0, screen
        assert "Handed to the running bot." in screen
        assert [running.paused(contract) for contract in PAUSABLE] == [True] * 4
        said = await asyncio.to_thread(until, lambda: "Receipt: Pause" in (t := running.said("musd-alerts")) and t)
        assert "an attacker drains the bridge" in said
    finally:
        await asyncio.to_thread(running.stop)


async def test_the_record_is_imported_into_the_audit_log_once(chain: Chain, tmp_path: Path) -> None:
    await musd_bot(of(chain, tmp_path), REASON, "--only=SMUSD", "--alone", "--as", GUARDIAN, typed=(code(), "PAUSE"))
    texts = dict.fromkeys(("slack_bot_token", "slack_app_token", "alertmanager_token"), "x")
    found = Settings(**texts, rpc_urls="http://a", chain_id=1, data_dir=tmp_path)  # type: ignore[arg-type]  # as in a file
    url = f"sqlite:///{tmp_path}/musd-bot.db"
    await migrate(url)
    store = SqlStore(url)
    for _ in range(2):
        await import_records(found, store)
    assert [row.what for row in await store.audit_trail(20)] == ["proposal", "vote", "step"]
    assert [path.name.endswith(".jsonl.imported") for path in (tmp_path / "terminal").iterdir()] == [True]
    await store.close()
