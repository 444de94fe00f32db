"""Real customers: from a log of purchases to a market and to each customer's traits.

    log = read_transactions("orders.csv", end=date(2024, 9, 30))
    bgnbd, gamma_gamma = fit_log(log)
    print(market_block(bgnbd, gamma_gamma, log))
    traits = population_from_log(log, bgnbd.params, gamma_gamma.params)

    InputError, ValueError
      TransactionError   the log or table is refused, with every mistake in it
      FitError           it can be read but does not determine the parameters

Models of customers who buy: BG/NBD, Pareto/NBD, and BG/BB where there are chances to
buy; of customers under contract: sBG; of amounts: gamma-gamma; of times: Weibull and
lognormal laws, beside the curve of Kaplan and Meier.

This package reads files and fits; nothing in it is on the result path of a simulation,
which starts from the numbers it prints.
"""

from churnsim.fit.bgbb import BgBb, BgBbFit, fit_bgbb
from churnsim.fit.bgnbd import BgNbd, BgNbdFit, Posterior, fit_bgnbd, posterior
from churnsim.fit.dates import DATE_FORMATS
from churnsim.fit.durations import (
    DurationFit,
    LawChoice,
    choose_law,
    fit_lognormal,
    fit_weibull,
)
from churnsim.fit.gamma_gamma import (
    GammaGamma,
    GammaGammaFit,
    ValuePosterior,
    fit_gamma_gamma,
    value_posterior,
)
from churnsim.fit.kaplan_meier import Survival, kaplan_meier
from churnsim.fit.likelihood import FitError
from churnsim.fit.market import (
    Outlook,
    PosteriorTraits,
    expected_spend,
    fit_log,
    market_block,
    outlook,
    population_from_log,
)
from churnsim.fit.pareto_nbd import ParetoNbd, ParetoNbdFit, fit_pareto_nbd
from churnsim.fit.problems import TransactionError
from churnsim.fit.rows import LAYOUTS
from churnsim.fit.sbg import Sbg, SbgFit, fit_sbg
from churnsim.fit.tables import (
    DurationTable,
    SurvivalTable,
    read_durations,
    read_survival,
)
from churnsim.fit.transactions import TransactionLog, read_transactions

__all__ = [
    "read_transactions",
    "TransactionLog",
    "TransactionError",
    "LAYOUTS",
    "DATE_FORMATS",
    "fit_bgnbd",
    "BgNbd",
    "BgNbdFit",
    "posterior",
    "Posterior",
    "fit_pareto_nbd",
    "ParetoNbd",
    "ParetoNbdFit",
    "outlook",
    "Outlook",
    "fit_bgbb",
    "BgBb",
    "BgBbFit",
    "fit_gamma_gamma",
    "GammaGamma",
    "GammaGammaFit",
    "value_posterior",
    "ValuePosterior",
    "read_survival",
    "SurvivalTable",
    "fit_sbg",
    "Sbg",
    "SbgFit",
    "read_durations",
    "DurationTable",
    "kaplan_meier",
    "Survival",
    "fit_weibull",
    "fit_lognormal",
    "DurationFit",
    "choose_law",
    "LawChoice",
    "FitError",
    "fit_log",
    "market_block",
    "population_from_log",
    "PosteriorTraits",
    "expected_spend",
]
