"""What Slack sends back when somebody presses or submits: the ids that views write and handlers listen for."""

import re

VOTE_APPROVE = "proposal:approve"
"""*Confirm* on a pause, *Approve* on anything else. The button's value is the proposal's id."""
VOTE_TYPED = "proposal:typed"
"""The callback id of the modal in which an approval is typed. Private metadata: the proposal's id and the channel."""
TYPED, CODE = "typed", "code"
"""In that modal: block ids and action ids of the word and of the one-time code."""
VOTE_DECLINE = "proposal:decline"
"""*Decline*. The button's value is the proposal's id."""
VOTE_WHY = "proposal:why"
"""The callback id of the modal that asks why somebody declined. Private metadata: the proposal's id, the channel."""
VOTE_WITHDRAW = "proposal:withdraw"
"""*Withdraw*. The button's value is the proposal's id."""

OFFER_PRESS = re.compile(r"^offer:press")
"""Any offer's button. Its value is the offer's id."""

SIGNAL_OPEN = "signal:open"
"""*Open incident* below a warning. The button's value is the Signal's key."""

INCIDENT_STEP = re.compile(r"^incident:(?:acknowledge|lead|close|archive|severity)")
"""A step in an incident's life that takes one press. The button's value is the incident's id."""
INCIDENT_RESOLVE = "incident:resolve"
"""*Resolve…*: opens the modal that asks why. The button's value is the incident's id."""
INCIDENT_REOPEN = "incident:reopen"
"""*Reopen…*: the same, the other way."""
INCIDENT_REASON = "incident:reason"
"""The callback id of both modals. Private metadata: ``resolve`` or ``reopen``, the incident's id."""
INCIDENT_OPEN = "incident_open"
"""The message shortcut *Open incident*, and the callback id of its modal. Private metadata: channel and ts."""
TIMELINE_ADD = "timeline_add"
"""The message shortcut *Add to timeline*."""
TIMELINE_OPEN = "timeline:open"
"""*Timeline*: its last page, for whoever presses. The button's value is the incident's id."""
LOGS_COLLECT = "logs:collect"
"""*Collect logs*, again. The button's value is the incident's id."""
TIMELINE_PAGE = re.compile(r"^timeline:page")
"""Another page of the timeline. The button's value is the incident's id and the page."""
CHECKLIST = re.compile(r"^checklist:")
"""Tick an item, or take its tick back. The action id ends in the item's key, the value is the incident's id."""
POSTMORTEM_DRAFT = "postmortem:draft"
"""*Draft the post-mortem*. The button's value is the incident's id."""
POSTMORTEM_EDIT = "postmortem:edit"
"""*Edit…*: opens the modal. The button's value is the incident's id; the modal has the same callback id."""
POSTMORTEM_DONE = "postmortem:done"
"""*It is done*. The button's value is the incident's id."""
TITLE = "title"
"""In the modal that opens an incident: block id and action id of its title."""
SEVERITY = "severity"
"""In the same modal: block id and action id of the severity."""

DIAGNOSE_AGAIN = "diagnosis:again"
"""*Run again* below a diagnosis. The button's value is the runbook's key."""
JUDGE = "diagnosis:judge"
"""*Write down your judgement…* below a verdict that only people can judge. The button's value is the runbook's key;
the modal it opens has the same callback id, and the channel as its private metadata."""
JUDGED = "judged"
"""In that modal: block id and action id of what they choose."""
STATUS_AGAIN = "status:again"
"""Ask every source of `/musd status` again."""

ANNOUNCE_EDIT = "announce:edit"
"""*Edit…* on an announcement that waits for its approval. The button's value is the proposal's id."""
ANNOUNCE_SUBMIT = "announce:submit"
"""The callback id of its modal. Private metadata: the proposal's id."""
TEXT = "text"
"""In modals that take a text to be read elsewhere: block id and action id of it."""
LINK = "link:open"
"""A button that is only a link: Slack tells of its press all the same."""

UPDATE_OPEN = "update:open"
"""*Post update…*: opens the modal. The button's value is the incident's id."""
UPDATE_SUBMIT = "update:submit"
"""The callback id of that modal. Private metadata: the incident's id."""
PLACES = "places"
"""In the same modal: block id and action id of where it goes."""
HOME_PAUSE, HOME_STATUS, HOME_AGAIN = "home:pause", "home:status", "home:again"
"""App Home's buttons: the pause modal, the status in a modal, and drawing it anew."""

PAUSE_SUBMIT = "pause:submit"
"""The pause modal's callback id. Its private metadata is the offer's id."""
PROPOSE_SUBMIT = "propose:submit"
"""The callback id of the modal that asks why an Action is wanted. Private metadata: the offer's id and the channel."""
CONTRACTS = "contracts"
"""In the pause modal: block id and action id of the contracts' checkboxes; values are setting names."""
UNPAUSE_SUBMIT = "unpause:submit"
"""The unpause modal's callback id. Its private metadata is the offer's id and the channel."""
CAUSE, FIX = "cause", "fix"
"""In the unpause modal: block ids and action ids of its two texts."""
REASON = "reason"
"""In the modals that ask why: block id and action id of the reason."""


def offer_press(place: int) -> str:
    """The action id of the offer at this place in its message: Slack wants them distinct within a block."""
    return f"offer:press:{place}"


def checklist(item: str) -> str:
    """The action id of an item's button."""
    return f"checklist:{item}"


def severity(severity: str) -> str:
    """The action id that gives an incident this severity."""
    return f"incident:severity:{severity}"
