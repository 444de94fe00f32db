"""Canonical runs, kept to the last digit."""
