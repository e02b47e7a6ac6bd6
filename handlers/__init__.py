"""The doors people come in by: text and clicks in, messages and pages out."""
