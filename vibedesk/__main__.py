"""`python -m vibedesk` is `vibedesk`."""

import sys

from vibedesk.cli import main

if __name__ == "__main__":
    sys.exit(main())
