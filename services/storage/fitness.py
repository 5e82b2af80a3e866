"""Is this database fit for people's real matters (生产就绪)? No invented people, no role that could change history."""

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from services.storage.database import NoDatabaseError, answering, single_connection

DEMONSTRATION = "DEMONSTRATION_ACCOUNTS"
TOO_MIGHTY = "ROLE_CAN_CHANGE_HISTORY"
NO_READER = "READER_UNKNOWN"

_INVENTED = text(
    """
    SELECT EXISTS (SELECT FROM account AS a JOIN person AS p ON p.id = a.person_id
                    WHERE a.active AND p.source = 'DEMO')
    """
)
_MIGHTY = text(
    """
    SELECT rolsuper OR rolbypassrls OR pg_has_role(current_user, c.relowner, 'MEMBER')
           OR has_table_privilege('event', 'UPDATE') OR has_table_privilege('event', 'DELETE')
      FROM pg_roles, pg_class AS c
     WHERE rolname = current_user AND c.oid = 'event'::regclass
    """
)
_READS = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role AND pg_has_role(current_user, oid, 'MEMBER'))")


async def unfit(url: str, reader: str | None) -> list[str]:
    """Everything against it, by code; empty when all is well.

    Raises `NoDatabaseError` when it does not answer, or has no tables yet.
    """
    engine = single_connection(url, application_name="shangliang-fitness")
    try:
        with answering():
            async with engine.connect() as connection:
                found = []
                if (await connection.execute(_INVENTED)).scalar_one():
                    found.append(DEMONSTRATION)
                if (await connection.execute(_MIGHTY)).scalar_one():
                    found.append(TOO_MIGHTY)
                if reader is not None and not (await connection.execute(_READS, {"role": reader})).scalar_one():
                    found.append(NO_READER)
                return found
    except ProgrammingError as untold:
        raise NoDatabaseError("its tables are not there yet") from untold
    finally:
        await engine.dispose()
