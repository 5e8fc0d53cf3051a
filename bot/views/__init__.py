"""Domain to Block Kit. Pure: cards in, messages and modals out; no I/O, no clock, no Slack client."""

from bot.views import ids
from bot.views.audit import audit_file, own_hashes
from bot.views.forms import open_modal, reason_modal
from bot.views.home import home, status_modal
from bot.views.incident import incident_list
from bot.views.judging import judge_modal
from bot.views.kit import Message
from bot.views.modals import loading_modal, message_modal, pause_modal
from bot.views.notice import help_message, refusal
from bot.views.postmortem import postmortem_modal
from bot.views.proposing import propose_modal, typed_modal, why_modal
from bot.views.public import announce_modal
from bot.views.redact import Redactor
from bot.views.render import render
from bot.views.unpausing import unpause_modal
from bot.views.updates import update_modal

__all__ = [
    "Message",
    "Redactor",
    "announce_modal",
    "audit_file",
    "help_message",
    "home",
    "ids",
    "incident_list",
    "judge_modal",
    "loading_modal",
    "message_modal",
    "open_modal",
    "own_hashes",
    "pause_modal",
    "postmortem_modal",
    "propose_modal",
    "reason_modal",
    "refusal",
    "render",
    "status_modal",
    "typed_modal",
    "unpause_modal",
    "update_modal",
    "why_modal",
]
