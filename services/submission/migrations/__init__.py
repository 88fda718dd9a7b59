"""The history of submission's database; alembic runs it with `python -m services.submission migrate`."""
