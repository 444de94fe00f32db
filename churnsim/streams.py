"""Random numbers with addresses: a draw is a function of what it is for.

Philox4x32-10 turns an address into 128 random bits, two uniforms. Nothing that happened
before moves a draw, so two policies that reach the same moment see the same numbers.

    key     = two 32-bit words made from the seed and the site
    counter = (customer, replication, episode, purpose + 256 attempt)
"""

import functools
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from churnsim.jit import mechanism, word

STREAM_VERSION = 1

# Top bit of the episode word: ordinary contacts have numbers of their own.
ORDINARY = 2**31

SEED_LIMIT = 2**64
SITE_LIMIT = 2**32
KEYS_KEPT = 1024  # sweeps ask for the same ones again and again
TWO_TO_MINUS_52 = 2.0**-52


class Key(NamedTuple):
    """Which family of random numbers: one scenario's, at one seed, at one site."""

    k0: int  # 32 random bits
    k1: int  # 32 random bits


class Purpose(IntEnum):
    """What a draw is for. Each is one block: two uniforms, lane 0 and lane 1.

    Numbers are part of the results: never renumber or remove, only append, below 256.
    """

    ACTIVITY = 0  # rate trait; value trait
    DROPOUT = 1  # dropout-probability trait; dropout budget
    CALENDAR = 2  # renewal phase or arrival; tenure
    TRUST = 3  # initial trust; prospect's choice (won or not)
    GAP = 4  # gap to the next mistake or ordinary contact; memory time after this one
    KIND = 5  # kind of mistake; sting
    STAKE = 6  # stake; fault
    NOTICE = 7  # notice; contest
    VOICE = 8  # speaks up; delay before turning up
    TOLERANCE = 9  # decision tolerance; follow-up
    HANDLING = 10  # handle time; patience (per attempt)
    RETRY = 11  # retry; delay before turning up again
    STATEMENT = 12  # fobbed off; what is said
    BELIEF = 13  # excuse believed; lie discovered
    PROMISE = 14  # promised time; delay before turning up again after a lie
    REPAIR = 15  # approval time; repair time
    ENDURANCE = 16  # endurance; compensation
    PREVENTION = 17  # unanswered contact counts; spare
    ORDER = 18  # a place in an order of levers, by order (not of a customer)
    QUITTING = 19  # agent quits after this contact; time until the seat is filled
    STYLE = 20  # style of an agent, by seat and hiring (not of a customer); spare
    CHANNEL = 21  # writes or calls; spare
    HOOP = 64  # base: hoop h < 128 uses HOOP + h. Hoop time; give-up


@functools.lru_cache(KEYS_KEPT)
def key_from_seed(seed: int, site: int = 0) -> Key:
    """Return the key of a site at a seed, through numpy's SeedSequence.

    Site 0 has the key of the seed alone, others one of their own: that of a sequence
    spawned under the site's number.

    Raises:
        ValueError: If the seed is not in 0 ... 2^64 − 1, or the site not in 0 ...
            2^32 − 1.
    """
    if not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"seed must be from 0 to 2**64 - 1; got {seed}")
    if not 0 <= site < SITE_LIMIT:
        raise ValueError(f"site must be from 0 to 2**32 - 1; got {site}")
    spawned = (site,) if site else ()
    sequence = np.random.SeedSequence(seed, spawn_key=spawned)
    k0, k1 = sequence.generate_state(2, np.uint32)
    return Key(int(k0), int(k1))


@mechanism
def philox4x32(
    c0: int, c1: int, c2: int, c3: int, k0: int, k1: int
) -> tuple[int, int, int, int]:
    """Return four 32-bit random words: ten rounds of Philox4x32.

    Args:
        c0, c1, c2, c3: Counter; the low 32 bits of each count.
        k0, k1: Key; the low 32 bits of each count.

    Source:
        Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (2011).
    """
    mask, half = word(0xFFFFFFFF), word(32)
    m0, m1 = word(0xD2511F53), word(0xCD9E8D57)
    w0, w1 = word(0x9E3779B9), word(0xBB67AE85)
    x0, x1 = word(c0) & mask, word(c1) & mask
    x2, x3 = word(c2) & mask, word(c3) & mask
    y0, y1 = word(k0) & mask, word(k1) & mask
    for _ in range(10):
        a = m0 * x0
        b = m1 * x2
        x0 = (b >> half) ^ x1 ^ y0
        x2 = (a >> half) ^ x3 ^ y1
        x1 = b & mask
        x3 = a & mask
        y0 = (y0 + w0) & mask
        y1 = (y1 + w1) & mask
    return x0, x1, x2, x3


@mechanism
def to_uniform(high: int, low: int) -> float:
    """Return (k + ½) 2^-52 in the open (0, 1), k being 52 of the 64 bits given.

    k = the 32 bits of `high`, then the upper 20 bits of `low`. Exact: no rounding.
    """
    return (
        float((word(high) << word(20)) | (word(low) >> word(12))) + 0.5
    ) * TWO_TO_MINUS_52


@mechanism
def uniforms(
    key: Key, customer: int, replication: int, episode: int, block: int
) -> tuple[float, float]:
    """Return the two uniforms of an address: lane 0 from words 0, 1; lane 1 from 2, 3.

    Args:
        key: From the scenario's seed.
        customer, replication: From 0 to 2^32 − 1.
        episode: From 0 to 2^31 − 1, plus `ORDINARY` for ordinary contacts.
        block: purpose + 256 attempt.
    """
    x0, x1, x2, x3 = philox4x32(customer, replication, episode, block, key.k0, key.k1)
    return to_uniform(x0, x1), to_uniform(x2, x3)
