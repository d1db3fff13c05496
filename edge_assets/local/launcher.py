"""Replaces this process by a server, after ensuring disk space for its recovery and switching to its user.

    python -m edge_assets.local.launcher RESERVE USER COMMAND...

USER may be empty. Supervisord runs this at every start, so it imports little.
"""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

from edge_assets.local.disk import ensure_reserve, release_reserve


def launch(reserve: Path, user: str, command: list[str]) -> None:
    """Replace this process by the server; does not return."""
    if release_reserve(reserve):
        print(f"the disk is full: releasing {reserve} for recovery", file=sys.stderr, flush=True)  # noqa: T201
    else:
        ensure_reserve(reserve)
    if user:
        _switch_user(user)
    os.execv(command[0], command)  # noqa: S606 - the wheel's binary


def _switch_user(user: str) -> None:
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


if __name__ == "__main__":
    launch(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
