"""The transport between services that run apart: Kafka, reached through kafka-python."""
