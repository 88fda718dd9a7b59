"""Starts submission: all roles, or one of api, worker, relay; migrates its database; prints its OpenAPI document."""

import sys

from services.submission.app import SERVICE
from shared.service import main

sys.exit(main(SERVICE, sys.argv[1:]))
