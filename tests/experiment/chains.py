"""A small firm of several sites, of which much is told."""

N_SITES = 5
# A firm that much is told of: most choices hang on what others told lately.
TALKED_OF = {
    "horizon": "1 year",
    "seed": "11",
    "sites": str(N_SITES),
    "population.customers": "60",
    "population.prospects": "300/year",
    "market.lock_in": "0.5",
    "market.observed_churn": "80 %/year",
    "market.word_of_mouth.period": "2 weeks",
    "market.word_of_mouth.influence": "2.5",
    "market.word_of_mouth.conversion": "0.6",
    "mistakes.billing.probability": "0.05",
}
N_CUSTOMERS = 60
