"""What this door counts, for Prometheus. No label has more values than the code has words for it."""

from prometheus_client import Counter, Histogram

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)

ACKS = Histogram("shipmate_ack_seconds", "From a delivery of Slack to its acknowledgement", ["kind"], buckets=SECONDS)
CALLS = Counter("shipmate_slack_calls", "Calls of Slack's methods, by how they ended", ["method", "result"])
LIMITED = Counter("shipmate_slack_rate_limited", "Answers of 429, those that were waited out included", ["method"])
