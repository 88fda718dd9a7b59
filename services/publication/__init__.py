"""What the catalogue shows: the entry of each validated and programmed session, and its AIS and AES."""
