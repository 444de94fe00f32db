"""Random numbers with addresses: known answers, one by one and inlined in a loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnsim.jit import kernel
from churnsim.streams import (
    ORDINARY,
    STREAM_VERSION,
    Key,
    Purpose,
    key_from_seed,
    philox4x32,
    to_uniform,
    uniforms,
)

pytestmark = pytest.mark.compiled

# Odd, so that a vectorised loop has a remainder.
N_COUNTERS = 20_011
ONES = 0xFFFFFFFF

# Random123, tests/kat_vectors, philox4x32 with 10 rounds: counter, key, words.
KNOWN_ANSWERS = (
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    ),
    (
        (ONES, ONES, ONES, ONES),
        (ONES, ONES),
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


def plain_philox(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Return the words by the paper's formula, in Python's unbounded integers."""
    right_0, left_0, right_1, left_1 = counter
    for i in range(10):
        high_0, low_0 = divmod(right_0 * 0xD2511F53, 2**32)
        high_1, low_1 = divmod(right_1 * 0xCD9E8D57, 2**32)
        key_0 = (key[0] + i * 0x9E3779B9) % 2**32
        key_1 = (key[1] + i * 0xBB67AE85) % 2**32
        right_0, left_0 = high_1 ^ left_0 ^ key_0, low_1
        right_1, left_1 = high_0 ^ left_1 ^ key_1, low_0
    return right_0, left_0, right_1, left_1


@kernel
def fill_words(counters: np.ndarray, keys: np.ndarray, out: np.ndarray) -> None:
    """Write the four words of each counter, with Philox inlined in the loop."""
    for i in range(counters.shape[0]):
        c, k = counters[i], keys[i]
        w0, w1, w2, w3 = philox4x32(c[0], c[1], c[2], c[3], k[0], k[1])
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = w0, w1, w2, w3


@kernel
def fill_uniforms(key: Key, block: int, out: np.ndarray) -> None:
    """Write both uniforms of customers 0, 1, 2 and so on."""
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1] = uniforms(key, i, 7, ORDINARY + 3, block)


@kernel
def first_words(counter: tuple[int, ...], key: tuple[int, ...]) -> tuple[int, ...]:
    """Return the words of one counter."""
    return philox4x32(counter[0], counter[1], counter[2], counter[3], key[0], key[1])


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox__gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    """One call, interpreted and compiled, and the test's own formula: all published."""
    assert philox4x32(*counter, *key) == words
    assert first_words(counter, key) == words
    assert plain_philox(counter, key) == words


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_philox__is_right_when_inlined_in_a_loop(dtype: type) -> None:
    """20,011 counters, all four words, compiled and interpreted: none is wrong."""
    mixed = np.random.default_rng(1).integers(0, 2**32, size=(N_COUNTERS, 6))
    mixed[0] = 0
    mixed[1] = ONES
    inputs: np.ndarray = mixed.astype(dtype)
    compiled = np.zeros((N_COUNTERS, 4), dtype=np.uint64)
    interpreted = np.zeros((N_COUNTERS, 4), dtype=np.uint64)
    fill_words(inputs[:, :4], inputs[:, 4:], compiled)
    fill_words.py_func(inputs[:, :4], inputs[:, 4:], interpreted)
    rows = mixed.tolist()
    expected = np.array([plain_philox(tuple(r[:4]), tuple(r[4:])) for r in rows])
    assert np.count_nonzero(compiled != expected.astype(np.uint64)) == 0
    assert np.count_nonzero(interpreted != expected.astype(np.uint64)) == 0


def test_uniforms__are_the_words_of_their_address() -> None:
    """Lane 0 is (w0 2^20 + w1 >> 12 + ½) 2^-52, lane 1 the same of w2 and w3."""
    key = key_from_seed(12345)
    block = Purpose.HANDLING + 256 * 3
    compiled = np.zeros((N_COUNTERS, 2))
    interpreted = np.zeros((N_COUNTERS, 2))
    fill_uniforms(key, block, compiled)
    fill_uniforms.py_func(key, block, interpreted)
    expected = np.zeros((N_COUNTERS, 2))
    for i in range(N_COUNTERS):
        w = plain_philox((i, 7, 2**31 + 3, 10 + 768), key)
        expected[i, 0] = ((w[0] * 2**20 + w[1] // 2**12) + 0.5) / 2**52
        expected[i, 1] = ((w[2] * 2**20 + w[3] // 2**12) + 0.5) / 2**52
    assert np.count_nonzero(compiled != expected) == 0
    assert np.count_nonzero(interpreted != expected) == 0


@pytest.mark.parametrize(
    ("high", "low", "value"),
    [
        (0, 0, 2.0**-53),
        (0, 0xFFF, 2.0**-53),
        (0, 0x1000, 1.5 * 2.0**-52),
        (1, 0, 2.0**-32 + 2.0**-53),
        (0x80000000, 0, 0.5 + 2.0**-53),
        (0x12345678, 0x9ABCDEF0, float.fromhex("0x1.23456789abcd8p-4")),
        (ONES, ONES, 1.0 - 2.0**-53),
    ],
)
def test_to_uniform__known_answers(high: int, low: int, value: float) -> None:
    """Smallest, largest and a few hand-made words give these doubles exactly."""
    assert to_uniform(high, low) == value


@given(st.integers(0, ONES), st.integers(0, ONES))
def test_to_uniform__is_open_symmetric_and_exact(high: int, low: int) -> None:
    """Never 0 or 1; flipping all bits gives 1 − u; 1 − u is exact."""
    u = to_uniform(high, low)
    assert 0.0 < u < 1.0
    assert to_uniform(ONES - high, ONES - low) == 1.0 - u
    assert 1.0 - (1.0 - u) == u


@given(
    st.integers(0, ONES),
    st.integers(0, ONES),
    st.integers(0, ONES),
    st.integers(0, 999),
)
def test_uniforms__do_not_care_for_the_type_of_integers(
    customer: int, replication: int, episode: int, block: int
) -> None:
    """Plain integers and numpy's give the same numbers, as Python floats."""
    key = Key(3, 4)
    plain = uniforms(key, customer, replication, episode, block)
    typed = uniforms(
        Key(np.uint64(3), np.uint64(4)),  # type: ignore[arg-type]
        np.int64(customer),  # type: ignore[arg-type]
        np.uint64(replication),  # type: ignore[arg-type]
        np.uint32(episode),  # type: ignore[arg-type]
        np.int32(block),  # type: ignore[arg-type]
    )
    assert plain == typed
    assert [type(u) for u in (*plain, *typed)] == [float] * 4


def test_uniforms__look_uniform_and_unrelated() -> None:
    """Means, variances, correlations of lanes and neighbours lie within 5 σ."""
    n = N_COUNTERS
    u = np.zeros((n, 2))
    fill_uniforms(key_from_seed(2), Purpose.GAP, u)
    centred = (u - 0.5) * np.sqrt(12.0 * n)
    assert np.all(np.abs(centred.sum(axis=0)) / n < 5.0)
    squares = (u - 0.5) ** 2
    assert np.all(np.abs(squares.mean(axis=0) - 1 / 12) < 5 * np.sqrt(1 / 180 / n))
    spread = 5.0 / 12.0 / np.sqrt(n)
    assert abs(np.mean((u[:, 0] - 0.5) * (u[:, 1] - 0.5))) < spread
    assert abs(np.mean((u[1:, 0] - 0.5) * (u[:-1, 0] - 0.5))) < spread


def test_key_from_seed__known_answers() -> None:
    """Keys are numpy's published SeedSequence words; these seeds give these."""
    assert STREAM_VERSION == 1
    assert key_from_seed(0) == Key(2968811710, 3677149159)
    assert key_from_seed(1) == Key(1835504127, 1731038949)
    assert key_from_seed(2**64 - 1) == Key(2458692877, 2931597649)
    assert all(type(k) is int for k in key_from_seed(7))


def test_key_from_seed__gives_each_site_one_of_its_own() -> None:
    """Site 0 has the seed's key; others these, frozen: part of the results."""
    assert key_from_seed(1, 0) == key_from_seed(1)
    assert key_from_seed(1, 1) == Key(1454127163, 941260221)
    assert key_from_seed(1, 2) == Key(2749604155, 297086206)
    assert key_from_seed(0, 1) == Key(673228719, 1136656250)
    assert key_from_seed(2**64 - 1, 99_999) == Key(1058013410, 2705533784)
    keys = {key_from_seed(seed, site) for seed in range(4) for site in range(1000)}
    assert len(keys) == 4000
    for site in (-1, 2**32):
        with pytest.raises(ValueError, match=rf"site must be from 0 .*; got {site}"):
            key_from_seed(1, site)


def test_key_from_seed__keeps_sites_apart_at_a_large_seed() -> None:
    """A site's key is spawned, so a seed of 64 bits with a site is no longer seed."""
    assert key_from_seed(2**32 + 1, 1) != key_from_seed(1, 1)
    assert key_from_seed(1 + 2**32) != key_from_seed(1, 1)


@pytest.mark.parametrize("seed", [-1, 2**64, 2**200])
def test_key_from_seed__refuses_seeds_out_of_range(seed: int) -> None:
    """The message states the rule and the seed."""
    with pytest.raises(ValueError, match=rf"seed must be from 0 .*; got {seed}"):
        key_from_seed(seed)


def test_purposes__keep_their_numbers() -> None:
    """No member is renumbered or removed; new ones stay below 256 and off the hoops."""
    frozen = {
        "ACTIVITY": 0,
        "DROPOUT": 1,
        "CALENDAR": 2,
        "TRUST": 3,
        "GAP": 4,
        "KIND": 5,
        "STAKE": 6,
        "NOTICE": 7,
        "VOICE": 8,
        "TOLERANCE": 9,
        "HANDLING": 10,
        "RETRY": 11,
        "STATEMENT": 12,
        "BELIEF": 13,
        "PROMISE": 14,
        "REPAIR": 15,
        "ENDURANCE": 16,
        "PREVENTION": 17,
        "HOOP": 64,
    }
    present = {name: int(member) for name, member in Purpose.__members__.items()}
    assert present | frozen == present
    assert len(set(present.values())) == len(present)
    added = [number for name, number in present.items() if name not in frozen]
    assert all(0 <= n < Purpose.HOOP or Purpose.HOOP + 128 <= n < 256 for n in added)
    assert ORDINARY == 2**31
