"""Renew requirements.lock and requirements-dev.lock: every version with its hashes, for every Python from 3.11 on."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Write both files; the second never chooses another version than the first."""
    compile_lock("requirements.lock", "--group", "build")
    compile_lock("requirements-dev.lock", "--group", "build", "--group", "dev", "-c", "requirements.lock")


def compile_lock(name: str, *groups: str) -> None:
    """Resolve the project with the given groups into one file."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
    command += ["--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"]
    subprocess.run([*command, *groups, "pyproject.toml", "-o", name], cwd=ROOT, check=True)
    if found := re.search(r"^.*(?:://|--index-url|--find-links).*$", (ROOT / name).read_text(), re.MULTILINE):
        sys.exit(f"{name} holds an address: {found.group()}")


if __name__ == "__main__":
    main()
