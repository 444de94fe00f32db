"""Fit a scenario to what a firm has observed, and say what that leaves open."""
