"""Questions about the ledger's PostgreSQL and its backups (Database Recovery; Canton Participant Down)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bot.domain.probe import Finding, Findings, Probe, bad, ok, unknown
from bot.ports import Executed, Reads
from bot.probes.chain import words

APP = "canton-postgres"
_FULL = 85
"""Percent of the disk from which on space is short: the alert fires at about that."""
_BUSY = 90
"""Percent of the connections that may be open."""
_USE = re.compile(r"\s(\d{1,3})%\s")
_EXEC = "kubectl -n musd exec $PG_POD --"
_CONNECTIONS = "SELECT count(*), current_setting('max_connections') FROM pg_stat_activity"
_REPLICAS = "SELECT application_name, state, coalesce(extract(epoch FROM replay_lag), 0)::int FROM pg_stat_replication"
_LAG = 60
"""Seconds a replica may be behind."""


def ready() -> Probe[Reads]:
    """Does PostgreSQL accept connections?"""

    async def ask(reads: Reads) -> Finding:
        answer = _one(await reads.cluster.execute(APP, ["pg_isready"]))
        if answer is None:
            return bad("no pod of it runs", answers=False)
        if answer.code is None:
            return unknown(answer.text)
        return ok(answer.text, answers=True) if answer.code == 0 else bad(answer.text, answers=False)

    return Probe("database:ready", "PostgreSQL", ask, command=f"{_EXEC} pg_isready")


def disk() -> Probe[Reads]:
    """How full is the disk that the ledger's data is on?"""

    async def ask(reads: Reads) -> Finding:
        answer = _one(await reads.cluster.execute(APP, ["df", "-h", reads.limits.database_path]))
        if answer is None or answer.code != 0:
            return unknown(answer.text if answer else "no pod of it runs, so none could be asked")
        used = max((int(found) for found in _USE.findall(f"{answer.text} ")), default=None)
        if used is None:
            return unknown("df's answer names no percentage", evidence=answer.text)
        return (bad if used >= _FULL else ok)(f"{used} % used", evidence=answer.text, used=used)

    return Probe("database:disk", "Database disk", ask, command=f"{_EXEC} df -h /var/lib/postgresql/data")


def claims() -> Probe[Reads]:
    """The volumes claimed in the namespace, and whether each has one."""

    async def ask(reads: Reads) -> Finding:
        found = await reads.cluster.claims()
        if not found:
            return unknown("no volume is claimed in the namespace")
        lost = [one for one in found if "  Bound  " not in one]
        evidence = "\n".join(found)
        return bad(f"not bound: {', '.join(lost)}", evidence=evidence) if lost else ok(found[0], evidence=evidence)

    return Probe("database:claims", "Volume claims", ask, command="kubectl -n musd get pvc")


def connections() -> Probe[Reads]:
    """How many of its connections are taken?"""

    async def ask(reads: Reads) -> Finding:
        rows, why = await _query(reads, _CONNECTIONS)
        if rows is None:
            refused = any(word in why for word in ("too many clients", "connection slots are reserved"))
            return bad(why, taken=why) if refused else unknown(why)
        taken, most = int(rows[0][0]), int(rows[0][1])
        said = f"{taken} of {most} taken"
        return bad(said, taken=said) if taken * 100 >= most * _BUSY else ok(said)

    return Probe("database:connections", "Connections", ask, command=_psql(_CONNECTIONS))


def replication() -> Probe[Reads]:
    """Are its replicas close behind, where it has any?"""

    async def ask(reads: Reads) -> Finding:
        rows, why = await _query(reads, _REPLICAS)
        if rows is None:
            return unknown(why)
        if not rows:
            return ok("this database has no replica")
        said = ", ".join(f"{name}: {state}, {lag} s behind" for name, state, lag in rows)
        late = any(state != "streaming" or int(lag) > _LAG for _, state, lag in rows)
        return bad(said, behind=said) if late else ok(said)

    return Probe("database:replication", "Replication", ask, command=_psql(_REPLICAS))


def backup() -> Probe[Reads]:
    """How old and how large is the newest backup?"""

    async def ask(reads: Reads) -> Finding:
        newest = await reads.backups.last()
        if newest is None:
            return bad("there is none", overdue="There is no backup at all.")
        age = datetime.now(UTC) - newest.at
        said = f"{newest.name}, {words(age)} old, {newest.size:,} bytes"
        if not newest.size:
            return bad(f"{said}: it is empty", overdue=f"The newest backup is empty: {said}.")
        if age > reads.limits.backup_max_age:
            limit = words(reads.limits.backup_max_age)
            return bad(f"{said}: overdue", overdue=f"The newest backup is {said}; one is due every {limit}.")
        return ok(said, newest=said)

    return Probe("database:backup", "Newest backup", ask, command="aws s3 ls s3://$BACKUP_BUCKET --recursive")


def full(findings: Findings) -> str | None:
    """The disk is almost full."""
    finding = findings.get("database:disk")
    used = finding.facts.get("used", 0) if finding else 0
    return f"The database's disk is {used} % full." if used >= _FULL else None


def down(findings: Findings) -> str | None:
    """PostgreSQL does not answer; says what there is to restore from."""
    finding = findings.get("database:ready")
    if finding is None or finding.facts.get("answers") is not False:
        return None
    newest = findings.get("database:backup")
    backup_known = f" Newest backup: {newest.summary}." if newest else ""
    return f"PostgreSQL does not answer: {finding.summary}.{backup_known}"


def crowded(findings: Findings) -> str | None:
    """Hardly a connection is left."""
    finding = findings.get("database:connections")
    taken = finding.facts.get("taken") if finding else None
    return f"Connections: {taken}." if taken else None


def overdue(findings: Findings) -> str | None:
    """The newest backup is too old, empty, or there is none."""
    finding = findings.get("database:backup")
    return finding.facts.get("overdue") if finding else None


def behind(findings: Findings) -> str | None:
    """A replica lags, or does not stream: where it is needed, it lacks what was written last."""
    finding = findings.get("database:replication")
    said = finding.facts.get("behind") if finding else None
    return f"Replica {said}; {_LAG} s are allowed." if said else None


async def _query(reads: Reads, sql: str) -> tuple[list[list[str]] | None, str]:
    """The rows of a SELECT; None and why, where there are none to be had."""
    limits = reads.limits
    command = ["psql", "-U", limits.database_user, "-d", limits.database, "-AtX", "-F", "\t", "-c", sql]
    answer = _one(await reads.cluster.execute(APP, command))
    if answer is None:
        return None, "no pod of it runs, so none could be asked"
    if answer.code != 0:
        return None, answer.text[:200] or "psql did not answer"
    return [line.split("\t") for line in answer.text.splitlines() if line], ""


def _psql(sql: str) -> str:
    return f'{_EXEC} psql -U canton canton_ledger -c "{sql}"'


def _one(answers: Sequence[Executed]) -> Executed | None:
    return answers[0] if answers else None
