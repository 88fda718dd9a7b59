"""The history of publication’s database; alembic runs it with `python -m services.publication migrate`."""
