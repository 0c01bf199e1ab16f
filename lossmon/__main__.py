"""`python -m lossmon`: the same as `lossmon`."""

from __future__ import annotations

import sys

from lossmon.cli import main

if __name__ == "__main__":
    sys.exit(main())
