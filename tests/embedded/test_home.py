"""One home, one program; secrets made once; ports that are honest."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.commands.connected import connected_settings
from services.embedded.home import Home
from services.embedded.passage import let_through
from services.embedded.ports import bind, free_port, holder_of
from services.embedded.problems import HomeInUse, HomeNotOurs, HomeUnusable

SOMEBODY = 61234


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.make()
    return made


def test_a_secret_is_made_once_and_shown_to_nobody_else(home: Home) -> None:
    first = home.secret("token_key")

    assert home.secret("token_key") == first
    assert len(first) >= 40
    assert stat.S_IMODE((home.secrets / "token_key").stat().st_mode) == 0o600
    assert [path.name for path in home.secrets.iterdir()] == ["token_key"]


def test_a_secret_that_another_process_made_meanwhile_is_taken(home: Home) -> None:
    def make_while_another_does() -> str:
        (home.secrets / "seal_key").write_text("theirs\n")
        return "ours"

    assert home.secret("seal_key", make_while_another_does) == "theirs"


def test_a_home_in_use_is_refused_with_its_holder(home: Home) -> None:
    with home.locked(), pytest.raises(HomeInUse, match=f"pid {os.getpid()}") as refused, home.locked():
        pass

    assert "SHANGLIANG_HOME" in refused.value.zh


def test_a_home_is_free_again_when_its_holder_was_killed(home: Home) -> None:
    hold = "import sys, time; from pathlib import Path; from services.embedded.home import Home\n"
    hold += "with Home(Path(sys.argv[1])).locked(): print('held', flush=True); time.sleep(600)"
    command = [sys.executable, "-c", hold, str(home.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()

    with home.locked():
        pass


def test_addresses_are_known_while_somebody_holds_the_home(home: Home) -> None:
    with home.locked():
        home.remember_running({"api": "http://127.0.0.1:8000"})
        during = home.running_now()
    after = home.running_now()

    assert during["api"] == "http://127.0.0.1:8000"
    assert after == {}
    assert stat.S_IMODE(home.running.stat().st_mode) == 0o600


def test_commands_beside_a_service_use_its_servers_and_its_pack(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "TEMPORAL_ADDRESS", "POLICY"):
        monkeypatch.delenv(f"SHANGLIANG_{name}", raising=False)
    monkeypatch.setenv("SHANGLIANG_HOME", str(home.root))
    running = {"database_url": "postgresql://here/db", "temporal_address": "127.0.0.1:1", "policy": "drill"}
    with home.locked():
        home.remember_running(running)
        beside = connected_settings()
        monkeypatch.setenv("SHANGLIANG_POLICY", "default_2026")
        told = connected_settings()

    assert beside.database_url is not None
    assert beside.database_url.get_secret_value() == running["database_url"]
    assert (beside.policy, told.policy) == ("drill", "default_2026")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_of_somebody_else_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)

    with pytest.raises(HomeNotOurs):
        Home(closed).make()


def test_a_home_that_cannot_be_made_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(HomeUnusable, match="File exists"):
        Home(tmp_path / "file").make()


def test_a_taken_port_is_not_ours_and_its_holder_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        assert bind("127.0.0.1", port) is None
        assert free_port(port) != port
        assert str(os.getpid()) in holder_of(port)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts PostgreSQL as somebody else")
def test_a_closed_folder_lets_one_user_through_and_nobody_else(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inner = closed / "inner"
    inner.mkdir(parents=True)
    closed.chmod(0o700)

    def stat_as(uid: int) -> bool:
        command = [sys.executable, "-S", "-c", "import os, sys; os.setuid(int(sys.argv[2])); os.stat(sys.argv[1])"]
        return subprocess.run([*command, inner, str(uid)], capture_output=True, check=False).returncode == 0

    assert not stat_as(SOMEBODY)

    opened = let_through(inner, uid=SOMEBODY, gid=SOMEBODY)

    assert closed in opened
    assert stat_as(SOMEBODY)
    assert not stat_as(SOMEBODY + 1)
    assert let_through(inner, uid=SOMEBODY, gid=SOMEBODY) == []
