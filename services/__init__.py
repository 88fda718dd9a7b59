"""The four services; each stands alone with its own database and speaks to the others only through Kafka."""
