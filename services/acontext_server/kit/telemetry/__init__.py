"""What can be watched from outside: traces over OTLP, and metrics for Prometheus.

Both are off unless a setting asks for them, and cost one comparison then.
"""
