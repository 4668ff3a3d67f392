"""`stafeta worker` as it is, but for one figure: its lease lasts a few real seconds, so that a run of a minute sees
leases of killed workers run out. Started by `installation.py` as `python -m tests.crash.worker`."""

from __future__ import annotations

import sys
from typing import Final

LEASE_S: Final = 5


def main() -> int:
    from stafeta.cli import main as stafeta
    from stafeta.cli.ready import start_django

    start_django()
    from stafeta.outbox.services import deliver

    deliver.LEASE_S = LEASE_S
    return stafeta(["worker"])


if __name__ == "__main__":
    sys.exit(main())
