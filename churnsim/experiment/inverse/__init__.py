"""Inverse questions: from which value of a setting on does a policy lose."""

from churnsim.experiment.inverse.asking import Search, breakeven
from churnsim.experiment.inverse.record import Breakeven, Point, Worth

__all__ = ["breakeven", "Breakeven", "Point", "Worth", "Search"]
