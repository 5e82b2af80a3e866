"""`shangliang serve`: the API of one process."""

import socket
from typing import Annotated

import typer

from services.commands.connected import connected_settings
from services.commands.production import require_fit
from services.commands.terminal import fail, run
from services.embedded.ports import bind, holder_of
from services.embedded.problems import PortTaken
from services.logs import configure_logs

EPILOG = "例 Examples: shangliang serve · shangliang serve --port 8080 · SHANGLIANG_HOST=0.0.0.0 shangliang serve"


def serve(
    host: Annotated[str | None, typer.Option(help="监听地址。Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="端口。Port.", min=1, max=65535)] = None,
    listener: Annotated[int | None, typer.Option("--listener", hidden=True)] = None,
) -> None:
    """启动接口进程,直到收到 SIGTERM。Serve the API until told to stop.

    需要数据库与 Temporal:取自环境变量,或正在运行的 shangliang up。Database and engine come from the environment,
    or from a running `shangliang up`.
    """
    settings = connected_settings(host=host, port=port)
    require_fit()
    configure_logs(level=settings.log_level, as_json=settings.log_json, process="web")
    if listener is not None:
        # `up` holds the port, so that nobody else gets it and no client is refused while we start again.
        listening = socket.socket(fileno=listener)
    else:
        taken = bind(settings.host, settings.port)
        if taken is None:
            refused = PortTaken(settings.port, holder_of(settings.port))
            fail(refused.zh, refused.en)
        listening = taken
    # Only this process needs the web framework: importing it costs every other command half a second.
    from services.web import serve_api

    run(serve_api(settings, listening))
