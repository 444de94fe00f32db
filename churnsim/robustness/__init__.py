"""Ask whether a conclusion survives its assumptions."""
