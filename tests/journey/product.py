"""The whole product as one child process, and its commands as a person at a terminal gives them."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from services.embedded.home import Home
from services.embedded.ports import free_port

PASSWORD = "a password for the journey"
READY_WITHIN = 120
STOPPED_WITHIN = 10
COMMAND = [sys.executable, "-P", "-m", "services.cli"]


class Product:
    """One `shangliang up` in a home of its own, under the pack `drill`."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="shangliang-")).resolve()
        self.home = Home(self.root)
        self.port = free_port(0)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SHANGLIANG_")}
        self.environment = {
            **kept,
            "SHANGLIANG_HOME": str(self.root),
            "SHANGLIANG_PORT": str(self.port),
            "SHANGLIANG_POLICY": "drill",
            "SHANGLIANG_DEMO_PASSWORD": PASSWORD,
            "COLUMNS": "200",
        }
        self.up: subprocess.Popen[str] | None = None
        self._tokens: dict[str, str] = {}

    def start(self) -> None:
        """Start it and wait until it says `ready`."""
        self.up = subprocess.Popen(
            [*COMMAND, "up"], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.up.stdout is not None
        lines = []
        for line in self.up.stdout:
            lines.append(line)
            if line.strip() == "ready":
                return
        raise AssertionError(f"ended with {self.up.wait()}: {lines}")

    def stop(self) -> int:
        """Tell it to stop; gives its exit code, or fails when it takes longer than promised."""
        assert self.up is not None
        self.up.send_signal(signal.SIGTERM)
        code = self.up.wait(STOPPED_WITHIN)
        self._close()
        return code

    def kill(self) -> None:
        """End every process of it at once, by no means gently."""
        assert self.up is not None
        parent = psutil.Process(self.up.pid)
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.up.wait(STOPPED_WITHIN)
        psutil.wait_procs(family[1:], timeout=STOPPED_WITHIN)
        self._close()

    def remove(self) -> None:
        """Leave nothing behind."""
        if self.up is not None:
            self.kill()
        shutil.rmtree(self.root)

    def _close(self) -> None:
        assert self.up is not None
        assert self.up.stdout is not None
        self.up.stdout.close()
        self.up = None

    # --- commands ---------------------------------------------------------------------------------------------

    def run(self, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """Give a command and wait for its end."""
        return subprocess.run(
            [*COMMAND, *map(str, arguments)],
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def begin(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Give a command and go on."""
        return subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    # --- what there is ----------------------------------------------------------------------------------------

    @property
    def running(self) -> dict[str, str]:
        """Where its servers are."""
        return self.home.running_now()

    async def rows(self, query: str, *values: object) -> Sequence[asyncpg.Record]:
        """Ask its database."""
        connection = await asyncpg.connect(self.running["database_url"])
        try:
            found: Sequence[asyncpg.Record] = await connection.fetch(query, *values)
            return found
        finally:
            await connection.close()

    async def imported(self, like: str = "%") -> int:
        """Count issues by the beginning of their external id, from the database."""
        query = "SELECT count(*) FROM case_file WHERE external_id LIKE $1"
        count: int = (await self.rows(query, like))[0][0]
        return count

    # --- the API ----------------------------------------------------------------------------------------------

    def token(self, username: str) -> str:
        """Sign in, once for all that is asked in this name: it is made slow on purpose."""
        if username not in self._tokens:
            self._tokens[username] = self._signed_in(username)
        return self._tokens[username]

    def _signed_in(self, username: str) -> str:
        form = f"username={username}&password={PASSWORD.replace(' ', '+')}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._ask("POST", "/auth/token", form, headers)
        assert answer[0] == 200, answer
        return str(answer[1]["access_token"])

    def ask(self, username: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Ask the API as somebody."""
        headers = {"Authorization": f"Bearer {self.token(username)}", "Content-Type": "application/json"}
        return self._ask(method, path, json.dumps(body) if body is not None else None, headers)

    def until(self, username: str, path: str, holds: Any, seconds: float = 60) -> Any:
        """Look until it is so."""
        deadline = time.monotonic() + seconds
        while True:
            status, body = self.ask(username, "GET", path)
            if status == 200 and holds(body):
                return body
            assert time.monotonic() < deadline, (status, body)
            time.sleep(0.2)

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, f"/api/v1{path}", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
