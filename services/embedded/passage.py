"""Let the database's own user through the folders above its data, and nobody else.

Started by root, PostgreSQL runs as a user of its own, and a checkout below `/root` is closed to it. An access
control entry for that one user, to pass and not to look, opens no more than is needed.
"""

import contextlib
import errno
import os
import stat
import struct
import sys
from pathlib import Path

ACCESS_LIST = "system.posix_acl_access"
VERSION = 2
USER_OBJECT, USER, GROUP_OBJECT, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NOBODY_IN_PARTICULAR = 0xFFFFFFFF
PASS = 0o1
ENTRY = struct.Struct("<HHI")

Entries = dict[tuple[int, int], int]


def let_through(folder: Path, *, uid: int, gid: int) -> list[Path]:
    """Let user `uid` reach `folder`; returns the folders that had to be opened for it.

    Raises OSError when we may not change a folder that is closed.
    """
    opened = []
    for place in (folder, *folder.parents):
        if not _may_pass(place, uid, gid):
            _open(place, uid)
            opened.append(place)
    return opened


def let_read(tree: Path, *, uid: int, gid: int) -> None:
    """Let user `uid` read and run the programs below `tree`, as far as their owner may."""
    let_through(tree, uid=uid, gid=gid)
    for folder, _, names in os.walk(tree):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            mode = path.lstat().st_mode
            wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
            if wanted != mode and not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(wanted))


def _may_pass(place: Path, uid: int, gid: int) -> bool:
    found = place.stat()
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IXUSR)
    entries = _entries(place)
    if (USER, uid) in entries:
        return bool(entries[USER, uid] & entries.get((MASK, NOBODY_IN_PARTICULAR), 0o7) & PASS)
    if found.st_gid == gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _open(place: Path, uid: int) -> None:
    mode = place.stat().st_mode
    if sys.platform == "linux":
        entries = _entries(place) or {
            (USER_OBJECT, NOBODY_IN_PARTICULAR): mode >> 6 & 0o7,
            (GROUP_OBJECT, NOBODY_IN_PARTICULAR): mode >> 3 & 0o7,
            (OTHER, NOBODY_IN_PARTICULAR): mode & 0o7,
        }
        mask = entries.get((MASK, NOBODY_IN_PARTICULAR), entries[GROUP_OBJECT, NOBODY_IN_PARTICULAR])
        entries[USER, uid] = entries.get((USER, uid), 0) | PASS
        entries[MASK, NOBODY_IN_PARTICULAR] = mask | PASS
        packed = b"".join(ENTRY.pack(tag, allowed, who) for (tag, who), allowed in sorted(entries.items()))
        try:
            os.setxattr(place, ACCESS_LIST, struct.pack("<I", VERSION) + packed)
        except OSError as refused:
            if refused.errno not in (errno.ENOTSUP, errno.EINVAL):
                raise
        else:
            return
    # A file system without access lists: everybody may pass, but still not look.
    place.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _entries(place: Path) -> Entries:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            packed = os.getxattr(place, ACCESS_LIST)
            return {(tag, who): allowed for tag, allowed, who in ENTRY.iter_unpack(packed[4:])}
    return {}
