"""Find free ports of this machine, and say who has taken one."""

import contextlib
import socket

import psutil


def bind(host: str, port: int) -> socket.socket | None:
    """Take `port` of `host` for ourselves; None when somebody has it, or when this user may not have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
    except OSError:
        taken.close()
        return None
    return taken


def free_port(preferred: int, *, host: str = "127.0.0.1", avoid: frozenset[int] = frozenset()) -> int:
    """Give `preferred` when it is free, else any free port."""
    for port in (preferred, 0, 0, 0, 0):
        probe = bind(host, port) if port not in avoid else None
        if probe is None:
            continue
        with probe:
            found: int = probe.getsockname()[1]
        if found not in avoid:
            return found
    raise OSError(f"no free port on {host}")


def holder_of(port: int) -> str:
    """Name the program that listens on `port`, as far as this user may see it."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
                with contextlib.suppress(psutil.Error):
                    return f"{psutil.Process(connection.pid).name()}, pid {connection.pid}"
    return "程序未知 unknown program"
