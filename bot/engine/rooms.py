"""An incident's channel: it is made beside everything else that an incident begins, and some of that needs it."""

import asyncio

from bot.domain.incident import Incident
from bot.ports import Store


async def with_channel(store: Store, incident_id: str, within: float) -> Incident:
    """The incident, once it has its channel, or as it is when the time is up.

    Args:
        store: where it is.
        incident_id: which.
        within: seconds.

    Raises:
        LookupError: there is no such incident.
    """
    for _ in range(round(within / 0.1)):
        incident = await store.incident(incident_id)
        if incident is not None and incident.channel:
            return incident
        await asyncio.sleep(0.1)
    incident = await store.incident(incident_id)
    if incident is None:
        raise LookupError(f"no incident {incident_id}")
    return incident
