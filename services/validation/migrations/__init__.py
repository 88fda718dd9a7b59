"""The history of validation's database; alembic runs it with `python -m services.validation migrate`."""
