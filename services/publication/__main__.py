"""Starts publication: `python -m services.publication [all|api|worker|relay|migrate|openapi]`."""

import sys

from services.publication.app import SERVICE
from shared.service import main

if __name__ == "__main__":
    sys.exit(main(SERVICE, sys.argv[1:]))
