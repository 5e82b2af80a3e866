"""`shangliang worker`: one process that carries out workflows."""

from services.commands.connected import connected_settings
from services.commands.production import require_fit
from services.commands.terminal import run
from services.logs import configure_logs

EPILOG = "例 Examples: shangliang worker · SHANGLIANG_TEMPORAL_ADDRESS=temporal:7233 shangliang worker"


def worker() -> None:
    """启动一个工作进程,直到收到 SIGTERM。Carry out workflows until told to stop.

    可同时运行多个。需要数据库与 Temporal:取自环境变量,或正在运行的 shangliang up。As many as you like run side by
    side. Database and engine come from the environment, or from a running `shangliang up`.
    """
    settings = connected_settings()
    require_fit()
    configure_logs(level=settings.log_level, as_json=settings.log_json, process="worker")
    # Only this process needs every process's rules: importing them costs every other command half a second.
    from services.worker import carry_out

    run(carry_out(settings))
