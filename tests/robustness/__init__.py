"""Whether conclusions survive their assumptions."""
