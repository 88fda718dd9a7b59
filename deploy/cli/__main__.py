"""`python -m deploy.cli` is `poec`."""

from deploy.cli import main

main()
