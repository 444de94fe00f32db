"""Scenarios fitted to what firms observe, with what stays unknown told beside it."""

from churnsim.calibration.calibrating import Plan, calibrate
from churnsim.calibration.record import Calibration
from churnsim.calibration.targets import Target, Targets, read_targets

__all__ = ["calibrate", "read_targets", "Calibration", "Plan", "Target", "Targets"]
