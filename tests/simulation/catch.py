"""Tell each mutant's story twice, by the house as it is and with the bug in it, and print what broke, as JSON.

python -m tests.simulation.catch [NAME …]
"""

from __future__ import annotations

import json
import sys

from stafeta.simulation.installation import enter


def main(names: list[str]) -> int:
    """Print one object a line: {"name": …, "sound": [kinds], "mutant": [kinds]}."""
    enter()
    from stafeta.simulation.play import play
    from tests.simulation.mutants import MUTANTS

    for mutant in MUTANTS:
        if names and mutant.name not in names:
            continue
        sound = play(mutant.script)
        with mutant.change():
            ill = play(mutant.script, until_broken=True)
        found = {
            "name": mutant.name,
            "sound": sorted({violation.kind for violation in sound.violations}),
            "mutant": sorted({violation.kind for violation in ill.violations}),
            "how": sorted({violation.what for violation in (*sound.violations, *ill.violations)})[:3],
        }
        print(json.dumps(found), flush=True)  # noqa: T201  # the answer
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
