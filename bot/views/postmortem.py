"""The post-mortem: as Markdown, drafted from the record; as a message in the channel; as a modal to write in."""

import re
from datetime import UTC, datetime, timedelta

from bot.domain.action import Outcome
from bot.domain.cards import PostmortemCard
from bot.domain.checklist import CHECKLIST, undone
from bot.domain.incident import TimelineEntry
from bot.domain.postmortem import PARTS, Carried, Record
from bot.views import ids, kit
from bot.views.kit import Block, Message
from bot.views.safe import Safe, cut, visible

_PART = 3000
"""Slack's limit for one text input."""
_MENTION = re.compile(r"<@([UW][A-Z0-9]{6,20})>")
_ESCAPED_MENTION = re.compile(r"(?<!\\)\\<@([UW][A-Z0-9]{6,20})\\>")


def postmortem(card: PostmortemCard, safe: Safe) -> Message:
    """Where it stands, and what to do about it."""
    title = safe.line(card.incident.title, 150)
    state = card.postmortem
    if state.done_by and state.done_at:
        text = f"📘 *Post-mortem of {title}*: done by {kit.people([state.done_by])}, {kit.when(state.done_at)}."
        return kit.message(f"Post-mortem of {title}: done", [kit.section(text)])
    due = f"Due {kit.when(card.due_at)}." if card.due_at else "Due 48 hours after the incident is resolved."
    text = (
        f"📘 *Post-mortem of {title}*: a draft from the record is in this channel as a file. {due}\n"
        "*Next:* read it, write what the record can't know (cause, lessons, follow-up actions), and mark it as done."
    )
    buttons = (
        kit.button("Edit…", ids.POSTMORTEM_EDIT, card.incident.id),
        kit.button("Mark as done", ids.POSTMORTEM_DONE, card.incident.id),
    )
    return kit.message(f"Post-mortem of {title}: draft", [kit.section(text), *kit.actions(*buttons)])


def postmortem_modal(record: Record) -> Block:
    """One field for each part; what is drafted already stands in it."""
    return {
        "type": "modal",
        "callback_id": ids.POSTMORTEM_EDIT,
        "private_metadata": record.incident.id,
        "title": kit.plain("Post-mortem"),
        "submit": kit.plain("Save"),
        "close": kit.plain("Cancel"),
        "blocks": [_field(name, label, part(record, name)) for name, label in PARTS.items()],
    }


def _field(name: str, label: str, text: str) -> Block:
    box: Block = {"type": "plain_text_input", "action_id": name, "multiline": True, "max_length": _PART}
    if typed := cut(visible(text).strip(), _PART):
        box["initial_value"] = typed
    return {"type": "input", "block_id": name, "label": kit.plain(label), "element": box, "optional": True}


def part(record: Record, name: str) -> str:
    """A part in the words of whoever wrote it, or drafted from the record; empty where the record can't know it."""
    if name in record.postmortem.parts:
        return record.postmortem.parts[name]
    if name == "summary":
        return _summary(record)
    if name == "impact":
        return record.incident.impact
    return record.incident.resolution if name == "cause" else ""


def markdown(record: Record) -> str:
    """The whole post-mortem. What nobody has written yet is asked for by name, under the open questions too."""
    one = record.incident
    done = record.postmortem.done_at
    status = f"done {_utc(done)}" if done else f"DRAFT, made {_utc(record.at)}"
    sections = (
        f"# Post-mortem: {_line(one.title)}\n\n*Status: {status}. Incident `{one.id}`, all times in UTC.*",
        _facts(record),
        _written(record, "summary"),
        _written(record, "impact"),
        _written(record, "cause"),
        _section("Timeline", _timeline(record)),
        _section("Findings", _findings(record)),
        _section("Actions taken", _actions(record)),
        _section("Checklist", _checklist(record)),
        _written(record, "lessons"),
        _written(record, "followups"),
        _section("Open questions", _questions(record)),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def hashes(record: Record) -> set[str]:
    """Digests and transaction hashes that the record itself holds: they look like secrets, and are none."""
    found = {carried.proposal.digest for carried in record.actions}
    for carried in record.actions:
        for step in carried.receipt.steps if carried.receipt else ():
            found |= {str(value) for value in step.evidence.values() if str(value).startswith("0x")}
    return found


def _summary(record: Record) -> str:
    one = record.incident
    parts = [f"«{_line(one.title)}» was opened {_utc(one.opened_at)} UTC as {one.severity}."]
    if one.summary:
        parts.append(f"The alert said: «{_line(one.summary)}».")
    parts += [f"{_line(entry.text)}." for entry in record.timeline if entry.evidence.get("findings")][:1]
    if record.to_acknowledge is not None:
        parts.append(f"It was acknowledged after {_span(record.to_acknowledge)}.")
    done = [each.proposal.action.title for each in record.actions if each.receipt and each.receipt.complete]
    if done:
        parts.append(f"Carried out: {_line('; '.join(done))}.")
    if record.to_resolve is None:
        parts.append("It is not resolved yet.")
    else:
        why = f": {_line(one.resolution)}" if one.resolution else ""
        parts.append(f"It was resolved after {_span(record.to_resolve)}{why}.")
    return " ".join(part.replace("..", ".") for part in parts)


def _facts(record: Record) -> str:
    one = record.incident
    rows = [
        ("Severity", one.severity),
        ("State", one.state),
        ("Lead", _name(record, one.lead) if one.lead else "nobody took the lead"),
        ("Opened", _utc(one.opened_at)),
        ("Time to acknowledge", _took(record.to_acknowledge, "not acknowledged")),
        ("Time to mitigate", _took(record.to_mitigate, "no action of the bot's mitigated it")),
        ("Time to resolve", _took(record.to_resolve, "not resolved yet")),
    ]
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows)
    return f"| | |\n|---|---|\n{table}"


def _written(record: Record, name: str) -> str:
    text = part(record, name)
    if name not in record.postmortem.parts and name != "summary":  # drafted from words of others, not written here
        text = _line(text)
    return _section(PARTS[name], _people(record, text) or "*To be written.*")


def _timeline(record: Record) -> str:
    joined = sorted({entry.actor for entry in record.timeline if "joined" in entry.evidence})
    told = [entry for entry in record.timeline if "joined" not in entry.evidence]
    lines = [f"- **{entry.at.astimezone(UTC):%H:%M:%S}** {_entry(record, entry)}" for entry in told]
    days = {entry.at.astimezone(UTC).date() for entry in told}
    if len(days) > 1:
        lines = [f"- **{_utc(entry.at)}** {_entry(record, entry)}" for entry in told]
    if joined:
        lines.append(f"- In the channel: {', '.join(_name(record, one) for one in joined)}")
    return "\n".join(lines) or "Nothing was recorded."


def _entry(record: Record, entry: TimelineEntry) -> str:
    who = "" if entry.actor == "bot" else f"{_name(record, entry.actor)}: "
    link = str(entry.evidence.get("permalink") or "")
    return f"{who}{_people(record, _line(entry.text))}" + (f" ([message]({link}))" if link else "")


def _findings(record: Record) -> str:
    seen = [entry for entry in record.timeline if entry.evidence.get("findings")]
    if not seen:
        return "No diagnosis is on record."
    lines: list[str] = []
    for entry in seen:
        lines.append(f"{_line(entry.text)} ({_utc(entry.at)}):\n")
        rows = [
            f"| {_cell(one['title'])} | {one['state']} | {_cell(one['summary'])} |"
            for one in entry.evidence["findings"]
        ]
        lines += ["| Question | Answer | What was seen |", "|---|---|---|", *rows, ""]
    return "\n".join(lines).rstrip()


def _actions(record: Record) -> str:
    return "\n\n".join(_action(record, each) for each in record.actions) or "Nothing was proposed or carried out."


def _action(record: Record, carried: Carried) -> str:
    proposal = carried.proposal
    reason = _line(proposal.reason) or "no reason given"
    votes = ", ".join(f"{_name(record, vote.voter)} ({vote.choice})" for vote in carried.votes) or "nobody voted"
    lines = [
        f"### {_line(proposal.action.title)}: {carried.state}",
        f"- Proposed {_utc(proposal.proposed_at)} by {_name(record, proposal.proposer)}: {reason}",
        f"- Votes: {votes}",
        f"- What was approved: digest `{proposal.digest}`",
    ]
    for step in carried.receipt.steps if carried.receipt else ():
        mark = "✔" if step.outcome in {Outcome.DONE, Outcome.SKIPPED} else "✘"
        sent = _line(str(step.evidence.get("transaction") or ""))
        where = f", transaction `{sent}`" if sent else ""
        lines.append(f"- {mark} {_line(step.name)}: {_line(step.text)}{where}")
    if carried.receipt:
        lines.append(f"- Finished {_utc(carried.receipt.finished_at)}")
    return f"{lines[0]}\n\n" + "\n".join(lines[1:])


def _checklist(record: Record) -> str:
    ticks = {tick.item: tick for tick in record.ticks}
    lines = []
    for one in CHECKLIST:
        tick = ticks.get(one.key)
        if tick is None:
            lines.append(f"- [ ] {one.text}")
            continue
        who = "the bot" if tick.actor == "bot" else _name(record, tick.actor)
        evidence = f": {_line(tick.evidence)}" if tick.evidence else ""
        lines.append(f"- [x] {one.text} ({who}, {tick.at.astimezone(UTC):%H:%M:%S}{evidence})")
    return "\n".join(lines)


def _questions(record: Record) -> str:
    """What the record shows to be unknown or undone."""
    one = record.incident
    asked = [f"What belongs under *{label}*?" for name, label in PARTS.items() if not part(record, name)]
    if one.resolution and "cause" not in record.postmortem.parts:
        asked.append("Is the reason given at resolving the root cause, or only what ended it?")
    if not one.lead:
        asked.append("Who led the response?")
    asked += [
        f"What became of the steps of «{_line(each.proposal.action.title)}» that are not done?"
        for each in record.actions
        if each.receipt and not each.receipt.complete
    ]
    silent = [
        _line(str(finding["title"]))
        for entry in record.timeline
        for finding in entry.evidence.get("findings") or ()
        if finding["state"] == "UNKNOWN"
    ]
    if silent:
        asked.append(f"Why did these not answer during the diagnosis: {', '.join(dict.fromkeys(silent))}?")
    left = [each.text for each in undone(record.ticks) if each.key not in {"postmortem", "runbooks"}]
    if left:
        asked.append("Were these done, or left out on purpose: " + "; ".join(left) + "?")
    if any(each.key == "runbooks" for each in undone(record.ticks)):
        asked.append("Does a runbook need a change?")
    return "\n".join(f"- {question}" for question in asked) or "None."


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}"


def _name(record: Record, person: str) -> str:
    return "the bot" if person == "bot" else f"@{_line(record.names.get(person, person))}"


def _people(record: Record, text: str) -> str:
    return _MENTION.sub(lambda found: _name(record, found[1]), text)


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _took(span: timedelta | None, otherwise: str) -> str:
    return otherwise if span is None else _span(span)


def _span(span: timedelta) -> str:
    """``42 s``, ``7 min 05 s``, ``3 h 20 min``."""
    seconds = max(0, int(span.total_seconds()))
    minutes, hours = seconds // 60, seconds // 3600
    if not minutes:
        return f"{seconds} s"
    return f"{hours} h {minutes % 60:02d} min" if hours else f"{minutes} min {seconds % 60:02d} s"


def _line(text: str) -> str:
    """One line, in which nothing begins a heading, a table or a link of somebody else's making."""
    one = " ".join(visible(text).split())
    escaped = re.sub(r"([\\`\[\]<>|])", r"\\\1", one)
    return _ESCAPED_MENTION.sub(r"<@\1>", escaped)


def _cell(text: object) -> str:
    return _line(str(text)).replace("\n", " ")
