"""Delivery: outbox, relay, inbox, dead letters, reconciler. The only code that speaks to Kafka's clients."""
