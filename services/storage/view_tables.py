"""What people keep of the console's lists for themselves (常用视图)."""

from sqlalchemy import Column, ForeignKey, SmallInteger, String, Table, Uuid

from services.storage.metadata import metadata

NAME, QUERY = 40, 1000

saved_view = Table(
    "saved_view",
    metadata,
    Column("person_id", Uuid, ForeignKey("person.id"), primary_key=True),
    # The list that it narrows, by the plural name of its process.
    Column("list", String(40), primary_key=True),
    Column("name", String(NAME), primary_key=True),
    Column("place", SmallInteger, nullable=False),
    # Filters, columns and order as an address has them.
    Column("query", String(QUERY), nullable=False),
    comment="Filters and columns of lists that somebody wants to see again (常用视图); his own, nobody else's",
)
