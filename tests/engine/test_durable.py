"""The durable engine on real databases: in this process, and in real processes that are killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlalchemy import create_engine, text
from structlog.testing import capture_logs

from bot.engine.durable import BrokenError, Durable, Run
from bot.engine.leader import leader_lock
from bot.errors import BotError, OutcomeUnknownError, RefusedError, RevertedError, UnavailableError
from bot.ports import Journal
from tests.world.postgres import Postgres

PROGRAM = Path(__file__).with_name("durable_program.py")
HOUR = timedelta(hours=1)

Launch = Callable[..., Awaitable[Durable]]


@asynccontextmanager
async def launching(url: str) -> AsyncIterator[Launch]:
    """A way to launch an engine with these workflows: it closes the one before, as a restart does."""
    engines: list[Durable] = []

    async def make(**runs: Run) -> Durable:
        for engine in engines:
            await engine.close()
        durable = Durable(system_url=url, polling=0.05)
        for name, run in runs.items():
            durable.workflow(name, run)
        await durable.launch()
        engines.append(durable)
        return durable

    try:
        yield make
    finally:
        for engine in engines:
            await engine.close()


@pytest.fixture
async def launch(tmp_path: Path) -> AsyncIterator[Launch]:
    """Engines on SQLite, for what doesn't depend on the database."""
    async with launching(f"sqlite:///{tmp_path}/engine.db") as make:
        yield make


@pytest.fixture
async def launch_on_each(database_url: str) -> AsyncIterator[Launch]:
    """Engines on SQLite, and again on PostgreSQL."""
    async with launching(database_url) as make:
        yield make


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, "what was waited for did not happen"
        await asyncio.sleep(0.02)


async def until_failed(durable: Durable) -> None:
    while not await durable.failed():  # noqa: ASYNC110 - only the database knows
        await asyncio.sleep(0.02)


class World:
    """Processes of the program, and what they noted."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    @contextmanager
    def process(self, *command: str) -> Iterator["subprocess.Popen[str]"]:
        """One running process, killed at the end of the block, if not before."""
        arguments = [sys.executable, str(PROGRAM), self.url, str(self.folder), *command]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            yield process
        finally:
            self.kill(process)

    def kill(self, process: "subprocess.Popen[str]") -> str:
        """SIGKILL; what it had printed."""
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        said = "" if process.stdout is None or process.stdout.closed else process.communicate()[0]
        process.wait()
        return said

    @property
    def notes(self) -> list[str]:
        """Every line noted so far."""
        path = self.folder / "notes"
        return path.read_text().splitlines() if path.exists() else []

    async def until_noted(self, text: str) -> None:
        """Wait for a line with this in it."""
        await until(lambda: any(text in note for note in self.notes))

    def open_gate(self, name: str) -> None:
        """Let every process through."""
        (self.folder / name).touch()


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> World:
    return World(database_url, tmp_path)


# --- Killed processes ------------------------------------------------------------------------------------------------


async def test_a_workflow_killed_between_two_steps_goes_on_without_repeating_the_first(world: World) -> None:
    with world.process("start", "i1") as first:
        await world.until_noted("between")
        assert world.kill(first) == ""
    world.open_gate("go")
    with world.process("stay"):
        await world.until_noted("second")
    assert world.notes == ["first i1", "between", "between", "second i1 after 'first i1' on the main loop"]


async def test_a_deadline_survives_the_process_that_set_it(world: World) -> None:
    with world.process("later", "p1", "3") as first:
        await world.until_noted("enqueued")
        world.kill(first)
    assert world.notes == ["enqueued"]
    with world.process("stay"):
        await world.until_noted("ring")
    assert world.notes == ["enqueued", "ring p1 in ring-p1"]


async def test_the_lock_passes_on_when_its_holder_is_killed(world: World) -> None:
    with world.process("lead", "one") as one:
        await world.until_noted("one leads")
        mine = leader_lock(world.url)
        assert await mine.acquire(wait=False) is False
        waiting = asyncio.create_task(mine.acquire())
        await asyncio.sleep(0.5)
        assert not waiting.done()
        world.kill(one)
        assert await asyncio.wait_for(waiting, 5) is True
        await mine.release()


async def test_a_released_lock_is_free(database_url: str) -> None:
    one, two = leader_lock(database_url), leader_lock(database_url)
    assert await one.acquire() is True
    assert await two.acquire(wait=False) is False
    await one.release()
    assert await two.acquire(wait=False) is True
    assert not one.lost.is_set()
    await two.release()


@pytest.mark.real
async def test_a_leader_whose_connection_is_cut_learns_that_it_leads_no_longer(
    postgres: Postgres, postgres_url: str
) -> None:
    lock = leader_lock(postgres_url)
    await lock.acquire()
    ours = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    postgres.run("psql", "-q", "-c", ours)
    await asyncio.wait_for(lock.lost.wait(), 10)
    await lock.release()


@pytest.mark.real
async def test_two_databases_on_one_server_have_leaders_of_their_own(postgres: Postgres) -> None:
    one, two = leader_lock(postgres.new_database()), leader_lock(postgres.new_database())
    assert [await one.acquire(wait=False), await two.acquire(wait=False)] == [True, True]
    await one.release()
    await two.release()


async def test_a_lock_on_a_server_that_does_not_answer_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="PostgreSQL did not answer"):
        await leader_lock("postgresql://postgres@127.0.0.1:1/musd").acquire()


# --- Starting --------------------------------------------------------------------------------------------------------


async def test_the_same_workflow_started_many_times_runs_once(launch_on_each: Launch) -> None:
    ran: list[str] = []

    async def run(journal: Journal, subject: str) -> None:
        ran.append(f"{subject} in {journal.id}")
        await asyncio.sleep(0.1)

    durable = await launch_on_each(respond=run)
    await asyncio.gather(*(durable.start("respond", "i1") for _ in range(10)))
    await durable.start("respond", "i2", run_id="another")
    await until(lambda: len(ran) == 2)
    await durable.start("respond", "i1")
    await asyncio.sleep(0.3)
    assert sorted(ran) == ["i1 in respond-i1", "i2 in another"]


async def test_a_workflow_started_from_within_a_step_is_nobodys_child(launch: Launch) -> None:
    ran: list[str] = []

    async def inner(_: Journal, subject: str) -> None:
        ran.append(subject)

    async def outer(journal: Journal, subject: str) -> None:
        async def work() -> None:
            await durable.start("inner", f"{subject} in a step")
            await durable.start_later("inner", f"{subject} later", timedelta(0))

        await journal.step("work", work, type(None))
        await durable.start("inner", f"{subject} between steps")

    durable = await launch(inner=inner, outer=outer)
    await durable.start("outer", "i1")
    await until(lambda: len(ran) == 3)
    assert sorted(ran) == ["i1 between steps", "i1 in a step", "i1 later"]


async def test_a_name_nobody_registered_cannot_be_started(launch: Launch) -> None:
    durable = await launch()
    with pytest.raises(KeyError):
        await durable.start("nonsense", "i1")


def test_a_name_is_registered_once() -> None:
    async def run(_: Journal, __: str) -> None: ...

    durable = Durable(system_url="sqlite:////tmp/never-opened.db")
    durable.workflow("respond", run)
    with pytest.raises(ValueError, match="registered twice"):
        durable.workflow("respond", run)


# --- Deadlines -------------------------------------------------------------------------------------------------------


async def test_a_deadline_waits_and_can_be_woken(launch_on_each: Launch) -> None:
    rang: list[str] = []

    async def ring(_: Journal, subject: str) -> None:
        rang.append(subject)

    durable = await launch_on_each(ring=ring)
    await durable.start_later("ring", "p1", HOUR)
    await asyncio.sleep(1.5)
    assert rang == []
    await durable.wake("ring", "p1")
    await until(lambda: rang == ["p1"])


async def test_the_same_deadline_set_again_changes_nothing(launch_on_each: Launch) -> None:
    rang: list[str] = []

    async def ring(_: Journal, subject: str) -> None:
        rang.append(subject)

    durable = await launch_on_each(ring=ring)
    await durable.start_later("ring", "p1", timedelta(seconds=0.5))
    await durable.start_later("ring", "p1", HOUR)
    await durable.start("ring", "p1")
    await until(lambda: rang == ["p1"])
    await durable.start_later("ring", "p1", timedelta(0))
    await durable.wake("ring", "p1")
    await asyncio.sleep(1.5)
    assert rang == ["p1"]


async def test_a_cancelled_deadline_never_rings(launch: Launch) -> None:
    rang: list[str] = []

    async def ring(_: Journal, subject: str) -> None:
        rang.append(subject)

    durable = await launch(ring=ring)
    await durable.start_later("ring", "p1", timedelta(seconds=0.5))
    await durable.cancel("ring", "p1")
    await durable.start_later("ring", "p1", timedelta(0))
    await asyncio.sleep(2)
    assert rang == []


async def test_waking_or_cancelling_what_never_was_is_harmless(launch: Launch) -> None:
    durable = await launch()
    await durable.wake("ring", "p1")
    await durable.cancel("ring", "p1")


# --- Steps -----------------------------------------------------------------------------------------------------------


class Answer(BaseModel):
    """What a step may return, with the types that JSON doesn't have."""

    at: datetime
    roles: dict[str, int | None]
    parts: tuple[str, ...]


async def test_a_steps_answer_is_the_same_when_the_workflow_runs_again(launch: Launch) -> None:
    answer = Answer(at=datetime(2026, 3, 1, 3, 4, 5, 678901, tzinfo=UTC), roles={"U1": None, "U2": 3}, parts=("a", "b"))
    asked: list[str] = []
    got: list[object] = []
    gate = asyncio.Event()

    async def ask() -> Answer:
        asked.append("once")
        return answer

    async def nothing() -> None:
        asked.append("nothing")

    async def run(journal: Journal, _: str) -> None:
        got.append(await journal.step("ask", ask, Answer))
        got.append(await journal.step("nothing", nothing, type(None)))
        await gate.wait()

    durable = await launch(run=run)
    await durable.start("run", "i1")
    await until(lambda: len(got) == 2)
    gate.set()
    await launch(run=run)
    await until(lambda: len(got) == 4)
    assert got == [answer, None, answer, None]
    assert asked == ["once", "nothing"]


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("Not you.", means="Nothing was sent.", next_step="Ask a guardian."),
        RevertedError("The oracle reverted.", error="StalePrice"),
        OutcomeUnknownError("Sent, not seen."),
    ],
)
async def test_a_steps_error_is_the_same_when_the_workflow_runs_again(launch: Launch, error: BotError) -> None:
    raised: list[BotError] = []
    tried: list[str] = []
    gate = asyncio.Event()

    async def refuse() -> None:
        tried.append("once")
        raise error

    async def run(journal: Journal, _: str) -> None:
        try:
            await journal.step("refuse", refuse, type(None))
        except BotError as caught:
            raised.append(caught)
        await gate.wait()

    durable = await launch(run=run)
    await durable.start("run", "i1")
    await until(lambda: len(raised) == 1)
    gate.set()
    await launch(run=run)
    await until(lambda: len(raised) == 2)
    assert [type(one) for one in raised] == [type(error)] * 2
    assert [vars(one) for one in raised] == [vars(error)] * 2
    assert [str(one) for one in raised] == [str(error)] * 2
    assert tried == ["once"]


async def test_steps_side_by_side_each_keep_their_own_answer(launch: Launch) -> None:
    got: list[list[int]] = []
    asked: list[int] = []
    gate = asyncio.Event()

    async def ask(number: int) -> int:
        await asyncio.sleep(0.05 * (3 - number))
        asked.append(number)
        return number

    async def run(journal: Journal, _: str) -> None:
        def step(number: int) -> Awaitable[int]:
            return journal.step(f"ask {number}", lambda: ask(number), int)

        got.append(list(await asyncio.gather(*(step(number) for number in range(3)))))
        await gate.wait()

    durable = await launch(run=run)
    await durable.start("run", "i1")
    await until(lambda: len(got) == 1)
    gate.set()
    await launch(run=run)
    await until(lambda: len(got) == 2)
    assert got == [[0, 1, 2], [0, 1, 2]]
    assert asked == [2, 1, 0]


async def test_a_sleep_goes_on_for_what_is_left(launch: Launch) -> None:
    began: list[float] = []
    ended: list[float] = []

    async def run(journal: Journal, _: str) -> None:
        began.append(time.monotonic())
        await journal.sleep(3)
        ended.append(time.monotonic())

    durable = await launch(run=run)
    await durable.start("run", "i1")
    await until(lambda: len(began) == 1)
    await asyncio.sleep(1.5)
    await launch(run=run)
    await until(lambda: len(ended) == 1)
    assert len(began) == 2
    assert ended[0] - began[0] >= 2.99
    assert ended[0] - began[1] < 2.99


# --- Ends ------------------------------------------------------------------------------------------------------------


async def test_a_workflow_that_fails_is_logged_listed_and_not_run_again(launch: Launch) -> None:
    secret, ran = "xoxb-very-secret", []

    async def run(_: Journal, subject: str) -> None:
        ran.append(subject)
        raise ValueError(f"the token {secret} is wrong")

    with capture_logs() as logs:
        durable = await launch(run=run)
        await durable.start("run", "i1")
        await until_failed(durable)
    assert list(await durable.failed()) == ["run-i1"]
    (line,) = logs
    assert (line["event"], line["workflow"], line["subject"]) == ("workflow failed", "run", "i1")
    assert line["error"].startswith("ValueError at test_durable.py:")
    assert secret not in str(line)
    durable = await launch(run=run)
    await durable.start("run", "i1")
    await asyncio.sleep(1.5)
    assert ran == ["i1"]


async def test_no_failing_step_leaves_its_message_anywhere(
    launch: Launch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "xoxb-very-secret"

    async def work() -> None:
        raise ValueError(secret)

    async def run(journal: Journal, _: str) -> None:
        with pytest.raises(BrokenError, match=r"step work: ValueError at test_durable\.py"):
            await journal.step("work", work, type(None))
        await journal.step("work again", work, type(None))

    durable = await launch(run=run)
    await durable.start("run", "i1")
    await until_failed(durable)
    assert secret not in caplog.text
    assert mentioning(tmp_path, secret) == []


def mentioning(folder: Path, secret: str) -> list[Path]:
    return [path for path in folder.iterdir() if secret.encode() in path.read_bytes()]


async def test_a_close_leaves_what_runs_to_the_next_launch_in_the_middle_of_a_step(launch_on_each: Launch) -> None:
    ran: list[str] = []
    gate = asyncio.Event()

    async def work() -> None:
        ran.append("begun")
        await gate.wait()
        ran.append("done")

    async def run(journal: Journal, _: str) -> None:
        await journal.step("work", work, type(None))

    durable = await launch_on_each(run=run)
    await durable.start("run", "i1")
    await until(lambda: ran == ["begun"])
    await durable.close()
    gate.set()
    durable = await launch_on_each(run=run)
    await until(lambda: ran == ["begun", "begun", "done"])
    assert list(await durable.failed()) == []


async def test_a_run_whose_journal_cannot_be_written_is_taken_up_again_once_it_can(
    launch_on_each: Launch, database_url: str
) -> None:
    ran: list[str] = []

    async def breaking() -> None:
        ran.append("breaking")
        if len(ran) == 1:
            rename(database_url, "operation_outputs", "gone")

    async def work() -> None:
        ran.append("work")

    async def run(journal: Journal, _: str) -> None:
        try:
            await journal.step("breaking", breaking, type(None))
        except Exception:  # noqa: BLE001 - that is the mistake a workflow must not be able to make
            ran.append("went on")
        await journal.step("work", work, type(None))
        ran.append("end")

    durable = await launch_on_each(run=run)
    with capture_logs() as logs:
        await durable.start("run", "i1")
        await until(lambda: bool(logs))
        assert [line["event"] for line in logs][:1] == ["workflow interrupted"]
        rename(database_url, "gone", "operation_outputs")
        await until(lambda: "end" in ran)
    assert ran == ["breaking", "breaking", "work", "end"]
    assert list(await durable.failed()) == []


def rename(url: str, table: str, to: str) -> None:
    """Take a table of DBOS's away, or give it back."""
    with create_engine(url.replace("postgresql:", "postgresql+psycopg:")).begin() as connection:
        schema = "" if url.startswith("sqlite") else "dbos."
        connection.execute(text(f"ALTER TABLE {schema}{table} RENAME TO {to}"))


async def test_an_engine_whose_database_is_broken_is_unavailable(launch_on_each: Launch, database_url: str) -> None:
    async def run(_: Journal, __: str) -> None: ...

    durable = await launch_on_each(run=run)
    rename(database_url, "workflow_status", "gone")
    with pytest.raises(UnavailableError, match="The engine's database did not answer"):
        await durable.start("run", "i1")


async def test_the_loop_keeps_threads_after_a_close(launch: Launch) -> None:
    durable = await launch()
    await durable.close()
    assert await asyncio.to_thread(lambda: "still here") == "still here"


async def test_what_nobody_runs_is_stranded_and_what_runs_or_waits_is_not(launch_on_each: Launch) -> None:
    gate = asyncio.Event()
    running: list[str] = []

    async def run(_: Journal, subject: str) -> None:
        running.append(subject)
        await gate.wait()

    async def lost(_: Journal, __: str) -> None:
        await asyncio.sleep(60)

    durable = await launch_on_each(run=run, lost=lost)
    await durable.start("lost", "i1")
    # The next version has no code for it any more: it stands, and nobody runs it.
    durable = await launch_on_each(run=run)
    await durable.start("run", "i1")
    await durable.start_later("run", "i2", HOUR)
    await until(lambda: running == ["i1"])
    await asyncio.sleep(1.5)
    assert list(await durable.stranded(timedelta(0))) == ["lost-i1"]
    assert list(await durable.stranded(HOUR)) == []
    gate.set()
