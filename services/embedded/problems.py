"""What can stop the embedded servers, said so that the person at the terminal knows what to do.

StartRefused
├── HomeInUse        another program runs on this home
├── HomeNotOurs      the home belongs to another user of this machine
├── HomeUnusable     the home cannot be made or written, for another reason
├── HomeHalfRestored a restore of the home is under way, or was broken off
├── PortTaken        somebody listens where we must
└── ServerFailed     a server did not answer; carries the end of its log
    └── ServerEnded  it ended by itself while it was starting
"""

from pathlib import Path


class StartRefused(Exception):
    """The servers of this machine cannot be started now; `zh` and `en` say why and what helps."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class HomeInUse(StartRefused):
    """Another `shangliang up` runs on this home."""

    def __init__(self, home: Path, holder: str) -> None:
        super().__init__(
            f"{home} 正由另一个程序使用({holder})。请先停止它,或用 SHANGLIANG_HOME 指定另一个目录。",
            f"{home} is in use by another program ({holder}). Stop that one first, or set SHANGLIANG_HOME to "
            "another folder.",
        )
        self.holder = holder


class HomeNotOurs(StartRefused):
    """The home was made by another user, whose files we may not use."""

    def __init__(self, home: Path, owner: str) -> None:
        super().__init__(
            f"{home} 属于用户 {owner},当前用户不能使用。请以该用户启动,或用 SHANGLIANG_HOME 指定另一个目录。",
            f"{home} belongs to user {owner} and cannot be used by this one. Start as that user, or set "
            "SHANGLIANG_HOME to another folder.",
        )


class HomeUnusable(StartRefused):
    """The home cannot be made or written: no such disk, a full one, a file in its place."""

    def __init__(self, home: Path, reason: OSError) -> None:
        words = reason.strerror or str(reason)
        super().__init__(
            f"目录 {home} 不能使用:{words}。请释放空间,或用 SHANGLIANG_HOME 指定另一个目录。",
            f"{home} cannot be used: {words}. Free some space, or set SHANGLIANG_HOME to another folder.",
        )


class HomeHalfRestored(StartRefused):
    """A backup is being put into this home, or whoever did it was killed on the way."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"{home} 的恢复正在进行或曾被中断。请等待其结束,或再次运行 shangliang restore。",
            f"A restore into {home} is under way or was broken off. Wait for its end, or run `shangliang restore` "
            "again.",
        )


class PortTaken(StartRefused):
    """Somebody else listens on the port that people were told to use."""

    def __init__(self, port: int, holder: str) -> None:
        super().__init__(
            f"端口 {port} 已被占用({holder})。请停止该程序,或用 SHANGLIANG_PORT 指定另一个端口。",
            f"Port {port} is taken ({holder}). Stop that program, or set SHANGLIANG_PORT to another port.",
        )
        self.port = port


class ServerFailed(StartRefused):
    """A server ended while it was starting, or did not answer in time."""

    def __init__(self, name: str, why_zh: str, why_en: str, *, log: Path, last_lines: str) -> None:
        tail = f"\n{last_lines}" if last_lines else ""
        super().__init__(
            f"{name} 未能启动:{why_zh}。日志:{log}{tail}",
            f"{name} did not start: {why_en}. Its log: {log}{tail}",
        )


class ServerEnded(ServerFailed):
    """A server ended by itself while it was starting."""
