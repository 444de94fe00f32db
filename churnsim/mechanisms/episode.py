"""What happens in an episode: kinds, voice, statements and payments as decisions."""

from churnsim.jit import mechanism
from churnsim.primitives import logistic
from churnsim.records import Floats, Kind, KindColumn, Market, Policy, Statement
from churnsim.streams import Key, Purpose, uniforms
from churnsim.variates import Law

CUMULATIVE = KindColumn.CUMULATIVE.value
AT_FAULT = KindColumn.AT_FAULT.value
VOICE = KindColumn.VOICE.value
VOICE_SLOPE = KindColumn.VOICE_SLOPE.value
HEARD = KindColumn.HEARD.value
SETTLED = KindColumn.SETTLED.value
QUICK = KindColumn.QUICK.value
TOLERANCE = KindColumn.TOLERANCE.value
TAU = KindColumn.TAU.value
MESSAGE_SHARE = KindColumn.MESSAGE_SHARE.value
CHANNEL = Purpose.CHANNEL.value
TRUTH = Statement.TRUTH.value
EXCUSE = Statement.EXCUSE.value
LIE = Statement.LIE.value


@mechanism
def law_in(table: Floats, row: int, column: int) -> Law:
    """Return the law kept in three columns of a table from `column` on."""
    return Law(int(table[row, column]), table[row, column + 1], table[row, column + 2])


@mechanism
def kind_index(kinds: Floats, u: float) -> int:
    """Return the row of the kind of mistake for the uniform `u` (7.1)."""
    last = len(kinds) - 1
    for row in range(last):
        if u < kinds[row, CUMULATIVE]:
            return row
    return last


@mechanism
def kind_at(kinds: Floats, row: int) -> Kind:
    """Return the figures of one kind of mistake."""
    return Kind(
        kinds[row, AT_FAULT],
        kinds[row, VOICE],
        kinds[row, VOICE_SLOPE],
        kinds[row, HEARD],
        kinds[row, SETTLED],
        kinds[row, QUICK],
        kinds[row, TOLERANCE],
        kinds[row, TAU],
        kinds[row, MESSAGE_SHARE],
    )


@mechanism
def voice_probability(policy: Policy, kind: Kind, sting: float) -> float:
    """Return the probability of speaking up (7.3).

    1/(1 + exp(−(voice + voice_slope·s + voice_ease))).
    """
    return logistic(kind.voice + kind.voice_slope * sting + policy.voice_ease)


@mechanism
def writes(
    key: Key, customer: int, replication: int, word: int, message_share: float
) -> bool:
    """Return whether a customer writes, in this episode or contact, or calls (7.4)."""
    if message_share == 0.0:
        return False
    u, _ = uniforms(key, customer, replication, word, CHANNEL)
    return u < message_share


@mechanism
def statement(policy: Policy, u: float) -> int:
    """Return what staff say when they cannot settle it now: a Statement (7.6)."""
    if u < policy.truth:
        return TRUTH
    return EXCUSE if u < policy.truth_or_excuse else LIE


@mechanism
def satisfaction(grievance: float) -> float:
    """Return the share satisfied at this grievance, 1/(1 + exp(γ)) (9)."""
    return logistic(-grievance)


@mechanism
def may_try_again(market: Market, attempt: int) -> bool:
    """Return whether another attempt follows attempt number `attempt`, from 0."""
    return attempt + 1 < market.max_attempts
