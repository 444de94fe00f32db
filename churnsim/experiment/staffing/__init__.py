"""Staffing: how many agents the front desk needs for a service level, by shift."""

from churnsim.experiment.staffing.asking import staff
from churnsim.experiment.staffing.record import Gain, ShiftStaffing, Staffing, Trial
from churnsim.experiment.staffing.runs import Effort
from churnsim.experiment.staffing.target import Target

__all__ = ["staff", "Staffing", "ShiftStaffing", "Trial", "Gain", "Target", "Effort"]
