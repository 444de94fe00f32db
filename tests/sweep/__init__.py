"""Tests of sweeps: what is varied, and a store that survives anything."""
