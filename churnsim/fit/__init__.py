"""Real customers: from a log of purchases to a market and to each customer's traits.

    log = read_transactions("orders.csv", end=date(2024, 9, 30))
    bgnbd, gamma_gamma = fit_log(log)
    print(market_block(bgnbd, gamma_gamma, log))
    traits = population_from_log(log, bgnbd.params, gamma_gamma.params)

    InputError, ValueError
      TransactionError   the log is refused, with every mistake in it
      FitError           the log can be read but does not determine the parameters

This package reads files and fits; nothing in it is on the result path of a simulation,
which starts from the numbers it prints.
"""

from churnsim.fit.bgnbd import BgNbd, BgNbdFit, Posterior, fit_bgnbd, posterior
from churnsim.fit.dates import DATE_FORMATS
from churnsim.fit.gamma_gamma import (
    GammaGamma,
    GammaGammaFit,
    ValuePosterior,
    fit_gamma_gamma,
    value_posterior,
)
from churnsim.fit.likelihood import FitError
from churnsim.fit.market import (
    PosteriorTraits,
    expected_spend,
    fit_log,
    market_block,
    population_from_log,
)
from churnsim.fit.problems import TransactionError
from churnsim.fit.rows import LAYOUTS
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
    "fit_gamma_gamma",
    "GammaGamma",
    "GammaGammaFit",
    "value_posterior",
    "ValuePosterior",
    "FitError",
    "fit_log",
    "market_block",
    "population_from_log",
    "PosteriorTraits",
    "expected_spend",
]
