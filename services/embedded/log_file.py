"""Keep what a process prints, without ever filling the disk with it."""

from pathlib import Path

PART_BYTES = 10 * 1024 * 1024
OLDER_PARTS = 2


class LogFile:
    """A file that is moved aside to `.1`, then `.2`, whenever it reaches ten megabytes."""

    def __init__(self, path: Path, *, part_bytes: int = PART_BYTES, older_parts: int = OLDER_PARTS) -> None:
        self.path = path
        self._part_bytes = part_bytes
        self._older_parts = older_parts
        self._file = path.open("ab", buffering=0)

    def write(self, output: bytes) -> None:
        """Append what was printed; a full disk costs these lines and nothing else."""
        try:
            if self._file.tell() + len(output) > self._part_bytes:
                self._move_aside()
            self._file.write(output)
        except OSError:
            # The process that printed this must go on; its own writes report the full disk.
            return

    def last_lines(self, count: int = 12) -> str:
        """Give the end of the file, for an error message."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - 8192))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])

    def close(self) -> None:
        """Let the file go; what was written stays."""
        self._file.close()

    def _move_aside(self) -> None:
        for age in range(self._older_parts, 0, -1):
            newer = self.path if age == 1 else self.path.with_name(f"{self.path.name}.{age - 1}")
            if newer.exists():
                newer.replace(self.path.with_name(f"{self.path.name}.{age}"))
        fresh = self.path.open("ab", buffering=0)
        self._file.close()
        self._file = fresh
