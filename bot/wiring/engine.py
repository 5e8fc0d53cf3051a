"""The engine, over the ports: every part of it, and the durable workflows that they are."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from bot.domain.probe import Probe
from bot.engine.announcements import Announcements
from bot.engine.backups import Backups
from bot.engine.ballots import Ballots
from bot.engine.bot import Bot, register_workflows
from bot.engine.calling import Calling
from bot.engine.checklist import Checklist
from bot.engine.collecting import Collecting
from bot.engine.deadlines import Deadlines
from bot.engine.diagnosis import Diagnosis
from bot.engine.doctor import Doctor
from bot.engine.execution import Execution
from bot.engine.followup import Followup
from bot.engine.handing import Handing
from bot.engine.heads import Heads
from bot.engine.home import Home
from bot.engine.intake import Intake
from bot.engine.judging import Judging
from bot.engine.lifecycle import Lifecycle
from bot.engine.logbook import Logbook
from bot.engine.measuring import Measuring
from bot.engine.notes import Notes
from bot.engine.oncall import OnCall
from bot.engine.page_events import PageEvents
from bot.engine.page_notes import PageNotes
from bot.engine.paging import Paging
from bot.engine.pictures import Pictures
from bot.engine.postmortem import Postmortems
from bot.engine.preconditions import Preconditions
from bot.engine.pricing import Pricing
from bot.engine.proposals import Proposals
from bot.engine.readiness import Readiness
from bot.engine.response import Response
from bot.engine.rights import Rights
from bot.engine.rotating import Rotating
from bot.engine.sampling import Sampling
from bot.engine.second_factor import SecondFactor
from bot.engine.settling import Settling
from bot.engine.status import Status, board
from bot.engine.storm import Storm
from bot.engine.sweep import Sweep
from bot.engine.triage import Triage
from bot.engine.unpausing import Unpausing
from bot.engine.updates import Updates
from bot.engine.warnings import Warnings
from bot.engine.watching import Watching
from bot.ports import Reads
from bot.runbooks import discover
from bot.settings import Settings
from bot.wiring.adapters import Outside
from bot.wiring.braking import import_records
from bot.wiring.canton import board as canton_board
from bot.wiring.canton import guardians
from bot.wiring.settings_record import record_settings

Leading = Sequence[Callable[[], Coroutine[Any, Any, None]]]
"""What runs in the process that leads, beside the workflows."""


def engine(
    settings: Settings,
    out: Outside,
    *,
    examinations: Sequence[Probe[Reads]],
    checks: Mapping[str, Callable[[], Awaitable[bool]]],
    deaf: Callable[[], bool],
) -> tuple[Bot, Leading]:
    """Build it, and register its workflows. Nothing runs yet.

    Args:
        settings: of this process.
        out: the adapters.
        examinations: what the doctor asks.
        checks: what must hold before the bot calls itself ready, beside the engine itself.
        deaf: whether Slack's socket is silent.

    Returns:
        The bot as the handlers see it, and the work of the process that leads.
    """
    runbooks = discover()
    pictures = Pictures(out.history, out.chat, runbooks, out.reads.limits)
    diagnosis = Diagnosis(out.reads, out.chat, out.store, settings.pausable, pictures, absent=settings.not_offered)
    preconditions = Preconditions(out.reads, with_canton=bool(settings.ledger_url))
    proposals = Proposals(
        store=out.store,
        chat=out.chat,
        rights=Rights(out.store, out.roster),
        factor=SecondFactor(out.store, settings.second_factor_secret),
        durable=out.durable,
        writes=out.writes,
        preconditions=preconditions,
        alerts_channel=settings.alerts_channel,
        policies=settings.stricter_policies,
        pause_lives=settings.pause_lives,
        second_factor=settings.second_factor,
    )
    checklist = Checklist(out.store, out.chat)
    oncall = OnCall(reads=out.oncall, chat=out.chat, contacts=settings.contacts)
    paging = Paging(
        store=out.store,
        chat=out.chat,
        pager=out.pager,
        oncall=oncall,
        roster=out.roster,
        durable=out.durable,
        runbooks=runbooks,
        routing=settings.routing,
        checklist=checklist,
        alerts_channel=settings.alerts_channel,
        runbook_url=settings.runbook_url,
        fall_back_after=settings.pagerduty_fallback_after,
    )
    collecting = Collecting(store=out.store, chat=out.chat, reads=out.reads, runbooks=runbooks, checklist=checklist)
    response = Response(
        store=out.store,
        chat=out.chat,
        paging=paging,
        oncall=oncall,
        roster=out.roster,
        runbooks=runbooks,
        diagnosis=diagnosis,
        proposals=proposals,
        checklist=checklist,
        collecting=collecting,
        alerts_channel=settings.alerts_channel,
        pausable=settings.pausable,
    )
    deadlines = Deadlines(
        store=out.store,
        chat=out.chat,
        paging=paging,
        roster=out.roster,
        durable=out.durable,
        runbooks=runbooks,
        judging=Judging(store=out.store, runbooks=runbooks, diagnosis=diagnosis),
        response=response,
        escalate_after=settings.escalate_after,
        watch_for=settings.watch_for,
        postmortem_due=settings.postmortem_due,
    )
    lifecycle = Lifecycle(
        store=out.store,
        chat=out.chat,
        paging=paging,
        durable=out.durable,
        runbooks=runbooks,
        proposals=proposals,
        response=response,
        checklist=checklist,
        deadlines=deadlines,
        alerts_channel=settings.alerts_channel,
    )
    unpausing = Unpausing(
        store=out.store,
        chat=out.chat,
        roster=out.roster,
        durable=out.durable,
        writes=out.writes,
        proposals=proposals,
        deadlines=deadlines,
    )
    announcements = Announcements(
        store=out.store,
        chat=out.chat,
        proposals=proposals,
        public=out.writes.public,
        paused=partial(unpausing.paused, settings.pausable),
        alerts_channel=settings.alerts_channel,
    )
    updates = Updates(
        store=out.store,
        chat=out.chat,
        durable=out.durable,
        proposals=proposals,
        announcements=announcements,
        paging=paging,
        oncall=oncall,
        roster=out.roster,
        alerts_channel=settings.alerts_channel,
        every=settings.update_every,
    )
    calling = Calling(chat=out.chat, pager=out.pager, oncall=oncall, durable=out.durable, proposals=proposals)
    page_notes = PageNotes(store=out.store, chat=out.chat, pager=out.pager, durable=out.durable)
    page_events = PageEvents(
        store=out.store, chat=out.chat, durable=out.durable, oncall=oncall, paging=paging, change=lifecycle.change
    )
    status = Status(out.reads, out.chat, board(settings.pausable), runbooks=tuple(runbooks.by_key.values()))
    canton = Status(out.reads, out.chat, canton_board(settings, out.writes.ledger), title="Canton", board="canton")
    watching = Watching(
        store=out.store,
        chat=out.chat,
        reads=out.reads,
        runbooks=runbooks,
        response=response,
        checklist=checklist,
        protocol=status.probes,
        every=settings.watch_every,
    )
    postmortems = Postmortems(
        store=out.store,
        chat=out.chat,
        proposals=proposals,
        checklist=checklist,
        response=response,
        pictures=pictures,
        due=settings.postmortem_due,
    )
    followup = Followup(
        store=out.store,
        chat=out.chat,
        runbooks=runbooks,
        diagnosis=diagnosis,
        change=lifecycle.change,
        recheck=settings.recheck,
    )
    warnings = Warnings(
        store=out.store, chat=out.chat, runbooks=runbooks, diagnosis=diagnosis, alerts_channel=settings.alerts_channel
    )
    storm = Storm(store=out.store, chat=out.chat, alerts_channel=settings.alerts_channel, size=settings.storm_size)
    triage = Triage(
        store=out.store,
        durable=out.durable,
        runbooks=runbooks,
        routing=settings.routing,
        storm=storm,
        worsen=lifecycle.worsen,
        recur=lifecycle.recur,
        most_incidents=settings.most_incidents,
    )

    async def changed(proposal_id: str) -> None:
        await unpausing.ended(proposal_id)
        await announcements.executed(proposal_id)

    settling = Settling(
        store=out.store,
        chat=out.chat,
        durable=out.durable,
        writes=out.writes,
        proposals=proposals,
        changed=changed,
    )
    ballots = Ballots(
        store=out.store,
        chat=out.chat,
        durable=out.durable,
        writes=out.writes,
        proposals=proposals,
        people=guardians(settings),
        every=settings.canton_watch_every,
    )
    execution = Execution(
        store=out.store,
        chat=out.chat,
        writes=out.writes,
        proposals=proposals,
        preconditions=preconditions,
        settling=settling,
        handing=Handing(out.store, out.chat, out.writes),
        beside=ballots.beside,
    )
    heads = Heads(out.store, out.chat, out.durable, settings.audit_channel)
    register_workflows(
        out.durable,
        response=response,
        followup=followup,
        proposals=proposals,
        execution=execution,
        settling=settling,
        unpausing=unpausing,
        lifecycle=lifecycle,
        checklist=checklist,
        deadlines=deadlines,
        watching=watching,
        ballots=ballots,
        triage=triage,
        warnings=warnings,
        paging=paging,
        page_events=page_events,
        page_notes=page_notes,
        calling=calling,
        announcements=announcements,
        updates=updates,
        heads=heads,
    )
    sweep = Sweep(
        store=out.store,
        durable=out.durable,
        proposals=proposals,
        chat=out.chat,
        alerts_channel=settings.alerts_channel,
        settlers=(
            lifecycle.settle_all,
            deadlines.settle_all,
            updates.settle_all,
            page_notes.settle_all,
            heads.settle_all,
        ),
    )
    bot = Bot(
        doctor=Doctor(out.reads, out.chat, examinations),
        settings=settings,
        store=out.store,
        chat=out.chat,
        intake=Intake(store=out.store, chat=out.chat, alerts_channel=settings.alerts_channel, arrived=triage.arrived),
        triage=triage,
        proposals=proposals,
        unpausing=unpausing,
        status=status,
        canton=canton,
        oncall=oncall,
        page_events=page_events,
        calling=calling,
        pricing=Pricing(out.reads),
        announcements=announcements,
        updates=updates,
        home=Home(store=out.store, reads=out.reads, roster=out.roster, oncall=oncall, pauses=bool(settings.pausable)),
        lifecycle=lifecycle,
        checklist=checklist,
        deadlines=deadlines,
        collecting=collecting,
        logbook=Logbook(out.reads, out.chat),
        rotating=Rotating(out.writes),
        backups=Backups(
            out.reads,
            out.chat,
            out.writes.infra.database if out.writes.infra else None,
            app=settings.database_app,
            path=settings.database_path,
        ),
        postmortems=postmortems,
        pictures=pictures,
        notes=Notes(store=out.store, chat=out.chat, proposals=proposals),
        diagnosis=diagnosis,
        runbooks=runbooks,
        redactor=out.redactor,
        checks={"engine": out.durable.ready, **checks},
        shared=out.accounts.shared,
        deaf=deaf,
    )
    sampling = Sampling(out.reads, out.store, settings.sample_every)
    readiness = Readiness(
        reads=out.reads,
        chat=out.chat,
        roster=out.roster,
        alerts_channel=settings.alerts_channel,
        every=settings.readiness_every,
    )

    async def records() -> None:
        await import_records(settings, out.store)
        await record_settings(settings, out.store)
        await heads.led()

    measuring = Measuring(out.store)
    return bot, (
        triage.run,
        storm.run,
        sweep.run,
        readiness.run,
        records,
        oncall.run,
        measuring.run,
        sampling.run,
    )
