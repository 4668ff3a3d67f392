"""Say how many mutants of the core its tests noticed, after `make mutants` (docs/mutants.md)."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

META = Path("mutants/src/stafeta/core")
KILLED_BY = {1: "killed", 3: "killed", 36: "timeout", -24: "timeout", 24: "timeout", 152: "timeout", 255: "timeout"}


def verdicts() -> Counter[str]:
    """Return how many mutants met which fate, by the exit codes that mutmut keeps."""
    seen: Counter[str] = Counter()
    for path in META.glob("*.meta"):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].values()
        seen.update("not run" if code is None else KILLED_BY.get(code, "survived") for code in codes)
    return seen


if __name__ == "__main__":
    seen = verdicts()
    noticed, all_of_them = seen["killed"] + seen["timeout"], seen.total()
    share = 100 * noticed / max(1, all_of_them)
    fates = " ".join(f"{fate}={count}" for fate, count in sorted(seen.items()))
    sys.stdout.write(f"mutants: {all_of_them} noticed={noticed} ({share:.1f} %) {fates}\n")
