"""What a process counts, in Prometheus' form at `/metrics`. Labels are closed sets: never an id, never a text of a sender."""

from prometheus_client import Counter, Gauge, Histogram

ANSWERS = Counter("poec_http_answers_total", "Answers by operation and status", ["operation", "status"])
ANSWER_SECONDS = Histogram("poec_http_answer_seconds", "Time to answer a command", ["operation"])
OBJECTIONS = Counter("poec_objections_total", "Objections and warnings by code of the rule", ["code"])
RELAYED = Counter("poec_relay_records_total", "Outbox rows acknowledged by the broker")
RELAY_REMADE = Counter(
    "poec_relay_producers_remade_total", "Producers closed and made anew after a fatal error or a time-out"
)
OUTBOX_PENDING = Gauge("poec_outbox_pending", "Outbox rows not yet acknowledged, as last seen by a reconciler pass")
INBOX = Counter("poec_inbox_records_total", "Records by topic and outcome", ["topic", "outcome"])
INBOX_BATCH = Histogram(
    "poec_inbox_batch_records", "Records per transaction", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
INBOX_SECONDS = Histogram("poec_inbox_batch_seconds", "Time of one batch transaction")
INBOX_RETRIES = Counter("poec_inbox_retries_total", "Batches tried again after a transient failure")
INBOX_LAG = Gauge("poec_inbox_lag_records", "Records between the consumer's position and the end of the log", ["topic"])
RECONCILED = Counter("poec_reconciled_records_total", "Outbox rows found missing in the log and sent again")
REMOVED = Counter("poec_retention_removed_total", "Rows removed or emptied when their time was over", ["what"])
ANCHORS = Counter("poec_trail_anchors_total", "Anchors of the audit trail written by this process")
