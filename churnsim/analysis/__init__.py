"""What a finished sweep says: sensitivity, boxes of assumptions, surfaces."""
