"""`python -m stafeta` is the `stafeta` command."""

import sys

from stafeta.cli import main

if __name__ == "__main__":
    sys.exit(main())
