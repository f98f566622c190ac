"""Polyphase windowed-sinc resampling by any rational factor, over a piece of a sound.

Output n stands at input position n * step_in / step_out, a whole sample i and a fraction:

    sound      . . . x[i-3] x[i-2] x[i-1] x[i] | x[i+1] x[i+2] x[i+3] x[i+4] . . .
    row p      . . . h(-3-f) ...         h(-f) | h(1-f)  ...                          f = p / phases

y[n] is the inner product of `taps` samples with row p, or, when the fraction falls between two
rows, the straight line between their two inner products. Samples have absolute positions, so a
stream that hands over overlapping pieces gets the bits that the whole sound would have given.
"""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define EDGE_INLINE __forceinline
    #else
    #define EDGE_INLINE __inline__ __attribute__((always_inline))
    #endif
    #if defined(EDGE_TARGET_CLONES)
    #define EDGE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define EDGE_CLONES
    #endif

    /* Cython has no word for these attributes; they are taken over from the first declaration. */
    static EDGE_INLINE float edge_inner_product(const float *, const float *, Py_ssize_t);
    static EDGE_CLONES float edge_interpolated(
        const float *, const float *, Py_ssize_t, float);
    """

cdef enum:
    LANES = 32


def resample(
    const float[::1] samples, int64_t origin, const float[:, ::1] rows, int64_t step_in,
    int64_t step_out, int64_t first, float[::1] out,
):
    """Writes the output samples first, first + 1, ... into out.

    samples: (n,) float32, the input samples origin, origin + 1, ...; all others count as zero
    rows: (phases + 1, taps) float32, taps a multiple of 32; row p is the filter at fraction
          p / phases, its element taps / 2 - 1 belongs to the whole sample
    step_in, step_out: output n stands at input position n * step_in / step_out, in lowest terms
    out: (m,) float32
    """
    if rows.shape[0] < 2 or rows.shape[1] == 0 or rows.shape[1] % LANES:
        raise ValueError("rows: (phases + 1, taps), taps a multiple of 32")
    if step_in < 1 or step_out < 1 or first < 0:
        raise ValueError("steps must be positive, and first not negative")
    if out.shape[0] == 0:
        return
    with nogil:
        filter_positions(
            &samples[0] if samples.shape[0] else NULL, samples.shape[0], origin,
            &rows[0, 0], rows.shape[0] - 1, rows.shape[1], step_in, step_out,
            first, out.shape[0], &out[0],
        )


cdef void filter_positions(
    const float* samples,            # IN (n,), absolute positions origin ... origin + n - 1
    int64_t n, int64_t origin,
    const float* rows,               # IN (phases + 1, taps)
    int64_t phases, int64_t taps, int64_t step_in, int64_t step_out,
    int64_t first, int64_t count,
    float* out,                      # OUT (count,)
) noexcept nogil:
    # Position of the output: whole + part / step_out.
    cdef int64_t whole = first * step_in // step_out, part = first * step_in % step_out
    cdef int64_t whole_step = step_in // step_out, part_step = step_in % step_out
    cdef int64_t k, start, phase
    cdef float between
    cdef const float* row
    for k in range(count):
        phase = part
        between = 0
        if phases != step_out:
            phase = part * phases // step_out
            between = <float> (part * phases % step_out) / <float> step_out
        row = rows + phase * taps
        start = whole - taps // 2 + 1 - origin
        if start >= 0 and start + taps <= n:
            out[k] = interpolated(samples + start, row, taps, between)
        else:
            out[k] = interpolated_at_edge(samples, n, start, row, taps, between)
        whole += whole_step
        part += part_step
        if part >= step_out:
            whole += 1
            part -= step_out


cdef float interpolated "edge_interpolated"(
    const float* samples, const float* row, Py_ssize_t taps, float between,
) noexcept nogil:
    cdef float below = inner_product(samples, row, taps)
    if between == 0:
        return below
    return below + between * (inner_product(samples, row + taps, taps) - below)


cdef float interpolated_at_edge(
    const float* samples, int64_t n, int64_t start, const float* row, int64_t taps, float between,
) noexcept nogil:
    cdef float below = inner_product_at_edge(samples, n, start, row, taps)
    if between == 0:
        return below
    return below + between * (inner_product_at_edge(samples, n, start, row + taps, taps) - below)


cdef float inner_product "edge_inner_product"(
    const float* samples, const float* row, Py_ssize_t taps,
) noexcept nogil:
    """Thirty-two running sums side by side: the order of addition is written out."""
    cdef float sums[LANES]
    cdef Py_ssize_t lane, tap = 0
    for lane in range(LANES):
        sums[lane] = 0
    while tap < taps:
        for lane in range(LANES):
            sums[lane] += row[tap + lane] * samples[tap + lane]
        tap += LANES
    return folded(sums)


cdef float inner_product_at_edge(
    const float* samples, int64_t n, int64_t start, const float* row, int64_t taps,
) noexcept nogil:
    """The same sums in the same order; a sample outside adds zero."""
    cdef float sums[LANES]
    cdef int64_t lane, tap
    for lane in range(LANES):
        sums[lane] = 0
    for tap in range(max(<int64_t> 0, -start), min(taps, n - start)):
        sums[tap % LANES] += row[tap] * samples[start + tap]
    return folded(sums)


cdef inline float folded(float* sums) noexcept nogil:
    # Halving, with lengths that the compiler can see.
    cdef Py_ssize_t lane
    for lane in range(16):
        sums[lane] += sums[lane + 16]
    for lane in range(8):
        sums[lane] += sums[lane + 8]
    for lane in range(4):
        sums[lane] += sums[lane + 4]
    return (sums[0] + sums[2]) + (sums[1] + sums[3])
