"""Everything on one machine, without Docker: the real Apache Kafka and PostgreSQL, started and stopped with us."""
