"""Every card's way into Slack's form."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.cards import (
    AuditCard,
    AuditHeadCard,
    BallotCard,
    BroadcastCard,
    Card,
    ChecklistCard,
    DiagnosisCard,
    DoctorCard,
    IncidentCard,
    LinkCard,
    LogCard,
    NoticeCard,
    OnCallCard,
    PostmortemCard,
    ProposalCard,
    ReceiptCard,
    SignalCard,
    StatusCard,
    TimelineCard,
    UpdateCard,
    UrgentCard,
)
from bot.views.audit import audit, audit_head
from bot.views.ballot import ballot
from bot.views.checklist import checklist
from bot.views.diagnosis import diagnosis
from bot.views.doctor import doctor
from bot.views.incident import incident
from bot.views.kit import Message
from bot.views.logs import logs
from bot.views.notice import notice
from bot.views.oncall import oncall
from bot.views.postmortem import postmortem
from bot.views.proposal import proposal
from bot.views.public import broadcast, link
from bot.views.receipt import receipt
from bot.views.redact import Redactor
from bot.views.safe import Safe
from bot.views.signal import signal
from bot.views.status import status
from bot.views.timeline import timeline
from bot.views.updates import update
from bot.views.urgent import urgent

_VIEWS: Mapping[type[Card], Callable[[Any, Safe], Message]] = {
    IncidentCard: incident,
    SignalCard: signal,
    DiagnosisCard: diagnosis,
    StatusCard: status,
    DoctorCard: doctor,
    ProposalCard: proposal,
    ReceiptCard: receipt,
    NoticeCard: notice,
    BallotCard: ballot,
    UrgentCard: urgent,
    ChecklistCard: checklist,
    TimelineCard: timeline,
    PostmortemCard: postmortem,
    OnCallCard: oncall,
    BroadcastCard: broadcast,
    LinkCard: link,
    UpdateCard: update,
    LogCard: logs,
    AuditCard: audit,
    AuditHeadCard: audit_head,
}


def render(card: Card, redactor: Redactor) -> Message:
    """The card as text and blocks, within Slack's limits, with nothing from outside that could act or leak."""
    return _VIEWS[type(card)](card, Safe(redactor))
