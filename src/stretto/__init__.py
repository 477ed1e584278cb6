"""stretto runs a plan of many AI-agent tasks at once and brings the results together safely."""

__version__ = "0.1.0"
