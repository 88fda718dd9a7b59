"""What the services say to each other: pydantic types only, and the table of who hears what (`flow.py`)."""
