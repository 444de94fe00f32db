"""Experiments: policies times replications, paired, compared, kept and verified."""

from churnsim.experiment.attribution import (
    Attribution,
    Interaction,
    Method,
    Segment,
    Share,
    explain,
)
from churnsim.experiment.bound import MistakeShare, mistake_share, mistake_shares
from churnsim.experiment.comparing import compare
from churnsim.experiment.comparison import Comparison, PolicyFigures
from churnsim.experiment.control import Control, Controlled
from churnsim.experiment.counterfactuals import (
    Asked,
    Beat,
    Counterfactuals,
    Life,
    Moment,
    Person,
    Story,
    Turn,
    counterfactuals,
    story,
)
from churnsim.experiment.failures import Failure
from churnsim.experiment.intervals import Estimate, estimate
from churnsim.experiment.inverse import Breakeven, Point, Search, Worth, breakeven
from churnsim.experiment.losses import Loss, MainCause
from churnsim.experiment.replications import (
    Execution,
    Replications,
    run_replications,
)
from churnsim.experiment.sequential import Until
from churnsim.experiment.staffing import (
    Effort,
    Gain,
    ShiftStaffing,
    Staffing,
    Target,
    Trial,
    staff,
)
from churnsim.experiment.store import (
    Extension,
    Manifest,
    Verification,
    csv_text,
    extend_results,
    read_manifest,
    read_results,
    verify_results,
    write_results,
)
from churnsim.experiment.summary import FIGURES, Figure, Summary
from churnsim.scenario.assumptions import Assumption, assumptions_of

__all__ = [
    "compare",
    "explain",
    "counterfactuals",
    "story",
    "breakeven",
    "staff",
    "run_replications",
    "write_results",
    "extend_results",
    "read_manifest",
    "read_results",
    "verify_results",
    "csv_text",
    "mistake_share",
    "mistake_shares",
    "assumptions_of",
    "estimate",
    "Comparison",
    "PolicyFigures",
    "Loss",
    "Control",
    "Controlled",
    "MainCause",
    "Attribution",
    "Share",
    "Interaction",
    "Segment",
    "Method",
    "Counterfactuals",
    "Turn",
    "Asked",
    "Story",
    "Life",
    "Moment",
    "Beat",
    "Person",
    "Breakeven",
    "Point",
    "Worth",
    "Search",
    "Staffing",
    "ShiftStaffing",
    "Trial",
    "Gain",
    "Target",
    "Effort",
    "Estimate",
    "MistakeShare",
    "Assumption",
    "Execution",
    "Until",
    "Replications",
    "Failure",
    "Manifest",
    "Extension",
    "Verification",
    "FIGURES",
    "Figure",
    "Summary",
]
