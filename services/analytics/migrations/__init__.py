"""The history of analytics' database; alembic runs it with `python -m services.analytics migrate`."""
