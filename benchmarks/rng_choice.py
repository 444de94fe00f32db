"""Time the two candidates for keyed random numbers: Philox4x32-10, Threefry2x64-20.

    python -m benchmarks.rng_choice

Both give 128 bits, two uniforms, per block and address. Each is inlined in a compiled
loop; the published known answers are asserted before anything is timed.
"""

from time import perf_counter

import numpy as np

from churnsim.jit import Kernel, kernel, mechanism, word
from churnsim.streams import Key, philox4x32, to_uniform, uniforms

N_BLOCKS = 5_000_000
N_ROUNDS_TIMED = 5
N_PYTHON = 20_000
ROTATIONS = (16, 42, 12, 31, 16, 32, 24, 21)
PARITY = 0x1BD11BDAA9FC1A22
MASK_64 = 2**64 - 1


@mechanism
def turn(x: int, bits: int) -> int:
    """Return a 64-bit word rotated to the left."""
    return (x << word(bits)) | (x >> word(64 - bits))


@mechanism
def threefry2x64(c0: int, c1: int, k0: int, k1: int) -> tuple[int, int]:
    """Return two 64-bit words: twenty rounds of Threefry2x64. Wraps: compiled only."""
    keys = (word(k0), word(k1), word(PARITY) ^ word(k0) ^ word(k1))
    x0, x1 = word(c0) + keys[0], word(c1) + keys[1]
    for group in range(5):
        for i in range(4):
            x0 = x0 + x1
            x1 = turn(x1, ROTATIONS[4 * (group % 2) + i]) ^ x0
        x0 = x0 + keys[(group + 1) % 3]
        x1 = x1 + keys[(group + 2) % 3] + word(group + 1)
    return x0, x1


def plain_threefry(counter: tuple[int, int], key: tuple[int, int]) -> tuple[int, int]:
    """Return the same words in Python's unbounded integers, written separately."""
    extended = [*key, PARITY ^ key[0] ^ key[1]]
    left, right = [(c + k) & MASK_64 for c, k in zip(counter, key, strict=True)]
    for i in range(20):
        left = (left + right) & MASK_64
        by = ROTATIONS[i % 8]
        right = ((right << by) | (right >> (64 - by))) & MASK_64 ^ left
        if i % 4 == 3:
            injection = i // 4 + 1
            left = (left + extended[injection % 3]) & MASK_64
            right = (right + extended[(injection + 1) % 3] + injection) & MASK_64
    return left, right


@kernel
def philox_loop(n: int) -> float:
    """Return the sum of products of both uniforms over n addresses."""
    total = 0.0
    for i in range(n):
        w0, w1, w2, w3 = philox4x32(i, 1, 2, 3, 5, 6)
        total += to_uniform(w0, w1) * to_uniform(w2, w3)
    return total


@kernel
def threefry_loop(n: int) -> float:
    """Return the same with Threefry's words."""
    total = 0.0
    mask, half = word(0xFFFFFFFF), word(32)
    for i in range(n):
        w0, w1 = threefry2x64(i, 1, 2, 3)
        u0 = to_uniform(w0 >> half, w0 & mask)
        total += u0 * to_uniform(w1 >> half, w1 & mask)
    return total


@kernel
def threefry_words(counters: np.ndarray, out: np.ndarray) -> None:
    """Write both words of each counter, under the key (5, 6)."""
    for i in range(counters.shape[0]):
        out[i, 0], out[i, 1] = threefry2x64(counters[i, 0], counters[i, 1], 5, 6)


@kernel
def threefry_once(counter: tuple[int, int], key: tuple[int, int]) -> tuple[int, int]:
    """Return both words of one counter and key."""
    return threefry2x64(counter[0], counter[1], key[0], key[1])


def insist(holds: bool, otherwise: str) -> None:
    """Stop with the message if a check does not hold."""
    if not holds:
        raise SystemExit(otherwise)


def check_answers() -> None:
    """Check the published vectors, and 2,001 counters in a loop."""
    zeros = (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    insist(philox4x32(0, 0, 0, 0, 0, 0) == zeros, "Philox4x32-10 differs")
    published = (0xC2B6E3A8C2C69865, 0x6F81ED42F350084D)
    insist(plain_threefry((0, 0), (0, 0)) == published, "Threefry2x64-20 differs")
    insist(threefry_once((0, 0), (0, 0)) == published, "compiled Threefry differs")
    spread = np.arange(2 * 2001, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    counters = spread.reshape(2001, 2)
    out = np.zeros_like(counters)
    threefry_words(counters, out)
    rows = counters.tolist()
    expected = [plain_threefry((c[0], c[1]), (5, 6)) for c in rows]
    insist(out.tolist() == [list(words) for words in expected], "wrong when inlined")


def nanoseconds(loop: Kernel[[int], float]) -> float:
    """Return the best time per block, and assert that the uniforms look uniform."""
    mean = loop(N_BLOCKS) / N_BLOCKS
    insist(abs(mean - 0.25) < 5 * (7 / 144 / N_BLOCKS) ** 0.5, f"mean {mean}")
    times = []
    for _ in range(N_ROUNDS_TIMED):
        start = perf_counter()
        loop(N_BLOCKS)
        times.append(perf_counter() - start)
    return min(times) / N_BLOCKS * 1e9


def python_microseconds() -> float:
    """Return the time of one call of `uniforms` from Python."""
    key = Key(5, 6)
    start = perf_counter()
    for i in range(N_PYTHON):
        uniforms(key, i, 1, 2, 3)
    return (perf_counter() - start) / N_PYTHON * 1e6


def main() -> None:
    """Print nanoseconds per block of two uniforms."""
    check_answers()
    print(f"Philox4x32-10    {nanoseconds(philox_loop):6.1f} ns per two uniforms")
    print(f"Threefry2x64-20  {nanoseconds(threefry_loop):6.1f} ns per two uniforms")
    print(f"Philox from Python {python_microseconds():4.1f} us per two uniforms")


if __name__ == "__main__":
    main()
