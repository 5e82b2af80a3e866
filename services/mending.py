"""What operators do about troubles (异常): try one again, or close it by hand with a reason."""

from uuid import UUID

from services.engine import Engine
from services.storage.history import Past
from services.storage.incidents import Incident, Incidents
from services.watching import Retried, retry

TRIED = "RETRIED"


class Mending:
    """The list of troubles with the means to work it off."""

    def __init__(self, engine: Engine, past: Past, incidents: Incidents) -> None:
        self._engine = engine
        self._past = past
        self._incidents = incidents

    async def again(self, incident_id: UUID, by: str) -> Retried | None:
        """Try one again and close it when it goes on; None when it is not on the list."""
        one = await self._one(incident_id)
        if one is None:
            return None
        tried = await retry(self._engine, self._past, self._incidents, one)
        if tried.goes_on:
            await self._incidents.close(one.id, by=by, reason=TRIED)
        return tried

    async def close(self, incident_id: UUID, *, by: str, reason: str) -> bool:
        """Take one off the list; False when it is not on it."""
        return await self._incidents.close(incident_id, by=by, reason=reason)

    async def _one(self, incident_id: UUID) -> Incident | None:
        return next((one for one in await self._incidents.listed() if one.id == incident_id), None)
