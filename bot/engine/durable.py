"""The engine's one door to durable workflows: start, deadline, cancel, and steps that are not run twice.

Underneath is DBOS. What it does, as far as the rest of the engine has to know:

- A workflow is named ``{name}-{subject}``. Started again under that name, whatever became of it, it is the run that
  exists: nothing happens. That also holds for one that failed or was cancelled.
- A step that finished is remembered, with what it returned or which `BotError` it ended in; after a crash the workflow
  runs from its beginning and gets those answers again. So what happens between steps must be the same each time.
- Any error that leaves a workflow ends it: it is logged, `failed` lists it, and it is not tried again by itself.
- A shutdown is no error: a workflow that is cancelled by `close`, or killed, goes on at the next launch. Nor is a
  journal that can't be written, as on a full disk: the run stops where it is, and is taken up again until it can be.
  (Where the server is merely away, DBOS waits for it, inside the step or the start.)
- One process launches at a time: see `bot.engine.leader`. One that stands by hands its starts over: they are enqueued,
  and whoever leads runs them. Standing workflows belong to the executor "leader" of
  version "1"; both are pinned, since a process with others silently leaves the old one's workflows where they are.
"""

import asyncio
import logging
import sqlite3
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import Context
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    DBOSPortableJSONSerializer,
    EnqueueOptions,
    SetEnqueueOptions,
    SetWorkflowID,
)
from dbos import error as dbos_error
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from bot.engine.rehearsal import boundary
from bot.errors import BotError, UnavailableError
from bot.ports import Journal

T = TypeVar("T")
Run = Callable[[Journal, str], Awaitable[None]]
"""A workflow's body. The text is what it is about: an incident's id, a proposal's, a Signal's key."""

_NAME: Final = "musd-bot"
_VERSION: Final = "1"
_DEADLINES: Final = "deadlines"
_THREADS: Final = 16
_CONNECTIONS: Final = 8
_SWEEP: Final = 20
"""Between two looks for runs that stand still, as a multiple of the time between two looks for deadlines."""
_FRAMES: Final = 3
"""Of a traceback: where it happened, and who called."""

log = structlog.get_logger()


class BrokenError(Exception):
    """A step or a workflow ended in an error nobody foresaw. Says which and where; never its message, nor a value."""


class _InterruptedError(BaseException):
    """The journal can't be kept, so nothing more may be done. No Exception, lest a workflow catch it and go on."""


class Durable:
    """Durable workflows of this process. Register, `launch`, use, `close`; one at a time in a process."""

    def __init__(self, *, system_url: str, polling: float = 0.25) -> None:
        """Nothing is opened yet.

        Args:
            system_url: ``sqlite:///path`` of a file of its own, or ``postgresql://…``, where it has its own schema.
            polling: seconds between two looks for deadlines that have passed.
        """
        self._url = system_url
        self._polling = polling
        self._bodies: dict[str, Run] = {}
        self._workflows: dict[str, Callable[[str], Coroutine[Any, Any, None]]] = {}
        self._running: dict[str, asyncio.Task[Any] | None] = {}
        self._sweep: asyncio.Task[None] | None = None
        self._client: DBOSClient | None = None
        self._launched = False
        self._closing = False

    async def ready(self) -> bool:
        """Whether a workflow can be started, here or by handing it over."""
        return self._launched or self._client is not None

    def workflow(self, name: str, run: Run) -> None:
        """Register a body under a name, before `launch`. The name is how a run finds its code again after a restart."""
        if self._launched or name in self._bodies:
            raise ValueError(f"the workflow {name!r} is registered twice, or too late")
        self._bodies[name] = run

    async def stand_by(self) -> None:
        """Somebody else leads: until `launch`, every start, deadline and cancellation is handed over to them."""
        if self._client is not None:
            return
        client = DBOSClient(system_database_url=self._url, serializer=DBOSPortableJSONSerializer(), lazy=True)
        _log_like_everybody_else()
        self._client = client

    async def launch(self) -> None:
        """Open the database and resume what stands there. Inside the loop that the workflows are to run on."""
        await self._stop_standing_by()
        if self._url.startswith("sqlite"):
            _prepare_file(Path(self._url.partition(":///")[2]))
        config: DBOSConfig = {
            "name": _NAME,
            "system_database_url": self._url,
            "application_version": _VERSION,
            "executor_id": "leader",
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
            "max_executor_threads": _THREADS,
            "sys_db_pool_size": _CONNECTIONS,
            "notification_listener_polling_interval_sec": self._polling,
        }
        DBOS(config=config)
        _log_like_everybody_else()
        for name, run in self._bodies.items():
            self._workflows[name] = DBOS.workflow(name=name)(self._guarded(name, run))
        self._launched = True
        DBOS.launch()
        await DBOS.register_queue_async(_DEADLINES, polling_interval_sec=self._polling, on_conflict="always_update")
        self._sweep = asyncio.create_task(self._take_up())

    async def start(self, name: str, subject: str, *, run_id: str | None = None) -> None:
        """Start a workflow about `subject`, and don't wait for it. The same one again is the run that exists."""
        workflow_id = run_id or _id(name, subject)
        boundary(f"{name}.start")
        if not self._launched:
            await self._hand_over(name, subject, workflow_id, timedelta(0))
            return
        workflow = self._workflows[name]

        async def begin() -> None:
            with SetWorkflowID(workflow_id):
                await DBOS.start_workflow_async(workflow, subject)

        await _apart(begin())

    async def start_later(self, name: str, subject: str, delay: timedelta) -> None:
        """Start a workflow after `delay`, also if this process is long gone by then. The same again changes nothing."""
        if not self._launched:
            await self._hand_over(name, subject, _id(name, subject), delay)
            return
        workflow = self._workflows[name]

        async def enqueue() -> None:
            with SetWorkflowID(_id(name, subject)), SetEnqueueOptions(delay_seconds=delay.total_seconds()):
                await DBOS.enqueue_workflow_async(_DEADLINES, workflow, subject)

        await _apart(enqueue())

    async def wake(self, name: str, subject: str) -> None:
        """Run a delayed workflow now. Nothing happens to one that isn't waiting."""
        engine = DBOS if self._launched else self._handing()
        await _apart(engine.set_workflow_delay_async(_id(name, subject), delay_seconds=0))

    async def cancel(self, name: str, subject: str) -> None:
        """Let a workflow not begin, or not go on after its present step. It stays cancelled under that name."""
        engine = DBOS if self._launched else self._handing()
        await _apart(engine.cancel_workflow_async(_id(name, subject)))

    async def stranded(self, older_than: timedelta) -> Sequence[str]:
        """Ids of workflows that should be running for so long already and that nobody runs here: for the alarm."""
        limit = (datetime.now(UTC) - older_than).timestamp() * 1000
        return [one.workflow_id for one in await self._standing() if (one.updated_at or 0) < limit]

    async def failed(self) -> Sequence[str]:
        """Ids of workflows that ended in an error, or that were given up after a hundred crashes; oldest first."""
        return [one.workflow_id for one in await _listed(["ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])]

    async def close(self) -> None:
        """Stop. What was running goes on at the next launch, behind its last finished step."""
        await self._stop_standing_by()
        if not self._launched:
            return
        self._closing, self._launched = True, False
        logging.getLogger("dbos").setLevel(logging.ERROR)  # it warns of each workflow that is cancelled now
        tasks = [task for task in (self._sweep, *self._running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # DBOS made its own threads the loop's: whoever closes after us still needs some, for a name look-up even.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        # In a thread, because it joins threads that may be waiting for this loop.
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    async def _hand_over(self, name: str, subject: str, workflow_id: str, delay: timedelta) -> None:
        """Enqueue a workflow for whoever leads. One of that id that exists is left as it is."""
        options: EnqueueOptions = {
            "queue_name": _DEADLINES,
            "workflow_name": name,
            "workflow_id": workflow_id,
            "app_version": _VERSION,
            "application_name": _NAME,
        }
        if delay > timedelta(0):
            options["delay_seconds"] = delay.total_seconds()
        await _apart(self._handing().enqueue_async(options, subject))

    def _handing(self) -> DBOSClient:
        if self._client is None:
            raise UnavailableError(
                "The bot is just starting or stopping.",
                means="Nothing was started by this.",
                next_step="Try again in a few seconds.",
            )
        return self._client

    async def _stop_standing_by(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(client.destroy)

    async def _standing(self) -> list[Any]:
        return [one for one in await _listed(["PENDING", "ENQUEUED"]) if one.workflow_id not in self._running]

    async def _take_up(self) -> None:
        """Run again what stands still. What has just been claimed has until the next look to begin."""
        before: set[str] = set()
        while True:
            await asyncio.sleep(self._polling * _SWEEP)
            try:
                standing = {
                    one.workflow_id
                    for one in await self._standing()
                    if one.status == "PENDING" and one.name in self._workflows
                }
                for workflow_id in standing & before:
                    log.warning("workflow taken up again", id=workflow_id)
                    await _apart(DBOS.resume_workflow_async(workflow_id))
                before = standing - before
            except UnavailableError as error:
                log.warning("standing workflows can't be looked up", error=str(error))

    def _guarded(self, name: str, run: Run) -> Callable[[str], Coroutine[Any, Any, None]]:
        """The body as DBOS runs it: counted, ended quietly at a shutdown, its errors told without their secrets."""

        async def body(subject: str) -> None:
            workflow_id = DBOS.workflow_id or ""
            if self._closing:
                raise asyncio.CancelledError
            steps = _Steps(workflow_id, name)
            self._running[workflow_id] = asyncio.current_task()
            try:
                await run(steps, subject)
            except Exception as error:  # noqa: BLE001 - whatever it is, the workflow is over and somebody has to know
                if not steps.interrupted:
                    told = _told(error)
                    log.error("workflow failed", workflow=name, subject=subject, error=told)  # noqa: TRY400 - see _told
                    raise BrokenError(told) from None
            except BaseException:
                if not steps.interrupted:
                    raise
            finally:
                self._running.pop(workflow_id, None)
            if steps.interrupted:
                log.warning("workflow interrupted", workflow=name, subject=subject, error=steps.interrupted)
                raise asyncio.CancelledError  # which records no end

        body.__qualname__ = name
        return body


class _Steps:
    """The Journal of one workflow run."""

    def __init__(self, workflow_id: str, name: str) -> None:
        self._id = workflow_id
        self._name = name
        self.interrupted = ""
        """Why the journal can't be kept, once it can't."""

    @property
    def id(self) -> str:
        """The run's id, stable over restarts."""
        return self._id

    async def step(self, name: str, work: Callable[[], Awaitable[T]], returns: type[T]) -> T:
        """Run `work` and remember its end, or give the end it had before the crash. Never tries again by itself.

        Raises:
            BotError: the one `work` raised, now or before the crash.
            BrokenError: `work` raised something else.
        """
        adapter: TypeAdapter[T] = TypeAdapter(returns)

        async def remembered() -> dict[str, Any]:
            try:
                end = {"returned": adapter.dump_json(await work()).decode()}
            except BotError as error:
                end = {"raised": type(error).__name__, "fields": to_jsonable_python(vars(error), fallback=str)}
            except Exception as error:  # noqa: BLE001 - remembered like the rest: a resumed run must take the same way
                end = {"broke": _told(error)}
            boundary(f"{self._name}.{name}.done")
            return end

        end = await self._kept(DBOS.run_step_async({"name": name}, remembered))
        boundary(f"{self._name}.{name}.kept")
        if "returned" in end:
            return adapter.validate_json(end["returned"])
        if "raised" in end:
            raise _again(end["raised"], end["fields"])
        raise BrokenError(f"step {name}: {end['broke']}")

    async def sleep(self, seconds: float) -> None:
        """Wait; after a crash, only for what is left."""
        await self._kept(DBOS.sleep_async(seconds))

    async def _kept(self, entry: Coroutine[Any, Any, T]) -> T:
        """An entry of the journal; none after one that could not be made, or the numbers would no longer fit."""
        if self.interrupted:
            entry.close()
            raise _InterruptedError
        try:
            return await entry
        except dbos_error.DBOSException:
            raise  # such as another step than the one remembered: nothing that passes
        except Exception as error:
            self.interrupted = _told(error)
            raise _InterruptedError from error


def _id(name: str, subject: str) -> str:
    return f"{name}-{subject}"


async def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run without the caller's context: a workflow started inside another's step is nobody's child."""
    try:
        return await asyncio.get_running_loop().create_task(work, context=Context())
    except dbos_error.DBOSException:
        raise
    except Exception as error:
        raise UnavailableError(
            f"The engine's database did not answer: {type(error).__name__}.",
            means="It is not known whether the workflow was started, moved or cancelled.",
            next_step="Try again: the same workflow is never started twice.",
        ) from error


async def _listed(states: list[str]) -> list[Any]:
    return await _apart(DBOS.list_workflows_async(status=states, load_input=False, load_output=False))


def _prepare_file(path: Path) -> None:
    # The write-ahead log is a property of the file, and nearly doubles what DBOS does in a second.
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=10)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _log_like_everybody_else() -> None:
    logger = logging.getLogger("dbos")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True


def _told(error: BaseException) -> str:
    """An error as a log may hold it: ours in words, of any other the type and the place. Messages quote values."""
    if isinstance(error, BotError | BrokenError):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_told(one) for one in error.exceptions)
    frames = traceback.extract_tb(error.__traceback__)[: -_FRAMES - 1 : -1]
    places = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    return " from ".join([f"{type(error).__name__} at {places[0]}", *places[1:]])


def _again(kind: str, fields: dict[str, Any]) -> BotError:
    """The BotError a step ended in, as it was."""
    cls = next((one for one in _kinds(BotError) if one.__name__ == kind), BotError)
    error = cls.__new__(cls, fields["happened"])
    vars(error).update(fields)
    return error


def _kinds(cls: type[BotError]) -> Iterator[type[BotError]]:
    yield cls
    for one in cls.__subclasses__():
        yield from _kinds(one)
