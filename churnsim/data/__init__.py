"""What a firm has: logs of events and cross-sections, read as targets."""
