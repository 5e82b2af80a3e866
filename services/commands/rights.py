"""`shangliang rights`: the table of rights, for people; without any server."""

import json
from typing import Annotated

import typer
from rich.table import Table

from services.api.endpoints import ENDPOINTS
from services.api.rights import REACHES, READ, rights_of, shown, title_of
from services.commands.lookup import process_named
from services.commands.terminal import MISUSE, fail, out
from workflows.kernel.roles import TITLES, Role
from workflows.registry import PROCESSES

EPILOG = (
    "例 Examples: shangliang rights --role community_worker · shangliang rights --process meetings · "
    "shangliang rights --json"
)

MOST_PLACES = 3


def rights(
    role: Annotated[str | None, typer.Option(help="身份,如 grid_worker。A role.")] = None,
    process: Annotated[str | None, typer.Option(help="流程,如 issues。A process.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON。Print JSON.")] = False,
) -> None:
    """显示权限表:谁、在什么环节、能办理什么、管到哪里、依据哪一条。

    Show the table of rights: who may do what, where a case stands, how far it reaches, by which clause.
    """
    if role is not None and role not in set(Role):
        fail(f"没有身份 {role}。可用:{'、'.join(Role)}", f"No role {role}. There are: {', '.join(Role)}", code=MISUSE)
    if process is not None:
        process = process_named(process).plural
    every = rights_of({one.name: one for one in PROCESSES.values()}.values())
    rows = [row for row in every if process in (None, row.process) and (role is None or role in row.roles)]
    endpoints = {
        name: access
        for name, access in ENDPOINTS.items()
        if process is None and (role is None or not access.roles or role in access.roles)
    }
    if as_json:
        listed = {name: {"who": one.who, "roles": sorted(one.roles)} for name, one in endpoints.items()}
        shown_rows = [shown(row, "zh") for row in rows]
        out.print_json(json.dumps({"cases": shown_rows, "operations": listed}, ensure_ascii=False))
        return
    table = Table()
    for title in ("流程 Process", "办理 Action", "谁 Who", "范围 Reach", "环节 At", "依据 Clause"):
        table.add_column(title, overflow="fold")
    for row in rows:
        action = f"{row.zh} {row.action}" if row.action != READ else row.zh
        who = f"{row.holder_zh} {title_of(row, 'en')}"
        reach = " ".join(REACHES[one][0] for one in row.reach)
        at = " ".join(row.at[:MOST_PLACES]) + (f" +{len(row.at) - MOST_PLACES}" if len(row.at) > MOST_PLACES else "")
        table.add_row(row.process, action, who, reach, at, row.clause)
    out.print(table)
    if not endpoints:
        return
    others = Table("接口 Operation", "谁 Who", "身份 Roles")
    for name, access in endpoints.items():
        others.add_row(name, access.who, "、".join(sorted(TITLES[one][0] for one in access.roles)))
    out.print(others)
