"""Starts analytics: `python -m services.analytics [all|api|worker|relay|migrate|openapi]`."""

import sys

from services.analytics.app import SERVICE
from shared.service import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
