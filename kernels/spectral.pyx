"""Log-mel spectrum and cepstrum: windowing, real FFT, power, mel bands, decibels, DCT-II.

Frames are worked on LANES at a time, side by side, so that each step is a loop over adjacent
numbers which the compiler turns into vector instructions, and no step mixes two frames:

    samples          x0 x1 x2 x3 ...                           one sound
    batch            [sample of frame][frame of batch]       (frame_length, LANES)
    spectrum         [complex bin][real, imaginary][frame]   in place, (frame_length / 2, 2, LANES)
    power            [bin][frame]                            (frame_length / 2 + 1, LANES)
    mel              [band][frame]                           (bands, LANES)
    out              [frame][band]                           (frames, bands)

A frame therefore comes out bit-equal wherever it stands in a batch and whatever stands beside it.

The transform is carried out in double precision. In single precision the rounding noise of a
full-scale tone moves the cells 80 dB below it by some ten-thousandths of a decibel, their sums in
the cepstrum by more than a thousandth, and the cells near -100 dB by tenths.
"""

from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

import numpy

cdef extern from *:
    """
    #if defined(_MSC_VER)
    #define EDGE_RESTRICT __restrict
    #define EDGE_INLINE __forceinline
    #else
    #define EDGE_RESTRICT __restrict__
    #define EDGE_INLINE __inline__ __attribute__((always_inline))
    #endif
    #if defined(EDGE_TARGET_CLONES)
    #define EDGE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
    #else
    #define EDGE_CLONES
    #endif
    #ifndef EDGE_REAL
    #define EDGE_REAL double
    #endif
    typedef EDGE_REAL edge_real;
    typedef edge_real *EDGE_RESTRICT edge_row;

    /* Cython has no word for these attributes; they are taken over from the first declaration. */
    static EDGE_INLINE void edge_butterfly_4(
        edge_row, edge_row, edge_row, edge_row, const edge_real *);
    static EDGE_INLINE void edge_butterfly_2(edge_row, edge_row);
    static EDGE_INLINE void edge_split(
        edge_row, edge_row, edge_row, edge_row, edge_real, edge_real);
    static EDGE_CLONES void edge_window_inside(
        const float *, Py_ssize_t, const edge_real *, Py_ssize_t, edge_row);
    static EDGE_CLONES void edge_complex_fft(edge_row, Py_ssize_t, const edge_real *);
    static EDGE_CLONES void edge_power_spectrum(
        edge_row, Py_ssize_t, const edge_real *, const int32_t *, edge_row);
    static EDGE_CLONES void edge_mel_bands(
        edge_row, Py_ssize_t, const int32_t *, const int32_t *, const edge_real *, edge_row);
    static EDGE_CLONES void edge_decibels(const edge_real *, Py_ssize_t, float *EDGE_RESTRICT);
    static EDGE_CLONES void edge_project(
        const float *, Py_ssize_t, const edge_real *, Py_ssize_t, edge_row);
    """
    ctypedef double real "edge_real"
    ctypedef real* row "edge_row"
    ctypedef float* float_row "float *EDGE_RESTRICT"

cdef enum:
    LANES = 8
    ALIGNMENT = 64

cdef union FloatBits:
    float value
    int32_t bits


cdef class LogMelKernel:
    """Tables of one window and one filter bank; `frames` may run in several threads at once.

    window: (frame_length,) float64, frame_length a power of two from 8 to 65536
    filters: (bands, frame_length / 2 + 1) float64, the non-zero weights of each band adjacent
    """

    cdef readonly Py_ssize_t frame_length, bands
    cdef real[::1] window            # (frame_length,)
    cdef real[::1] stage_twiddles    # for each radix-4 stage, for each j: w, w^2, w^3 as re, im
    cdef real[::1] split_twiddles    # (frame_length / 4 + 1, 2)
    cdef int32_t[::1] order          # (frame_length / 2 + 1,) where the complex FFT leaves bin k
    cdef int32_t[::1] first_bin      # (bands,)
    cdef int32_t[::1] first_weight   # (bands + 1,)
    cdef real[::1] weights           # the non-zero weights, band after band

    def __init__(self, window, filters):
        real_type = numpy.dtype(f"f{sizeof(real)}")
        window = numpy.ascontiguousarray(window, dtype=numpy.float64)
        filters = numpy.ascontiguousarray(filters, dtype=numpy.float64)
        length = window.size
        if window.ndim != 1 or length & (length - 1) or not 8 <= length <= 65536:
            raise ValueError("window: a power of two from 8 to 65536 long")
        if filters.ndim != 2 or filters.shape[1] != length // 2 + 1:
            raise ValueError("filters: (bands, frame_length / 2 + 1)")
        self.frame_length = length
        self.bands = filters.shape[0]
        self.window = window.astype(real_type)
        self.stage_twiddles = _stage_twiddles(length // 2).astype(real_type)
        self.split_twiddles = _unit_circle(numpy.arange(length // 4 + 1), length).astype(real_type)
        order = _bin_order(length // 2)
        self.order = numpy.append(order, order[:1]).astype(numpy.int32)
        first_bin, first_weight, weights = _sparse_rows(filters)
        self.first_bin = first_bin
        self.first_weight = first_weight
        self.weights = weights.astype(real_type)

    def frames(self, const float[::1] samples, Py_ssize_t origin, Py_ssize_t hop_length,
               float[:, ::1] out):
        """Writes 10 * log10(max(1e-10, mel power)) of frame f into out[f].

        samples: (n,) float32; frame f covers samples[origin + f * hop_length:][:frame_length],
                 and whatever of it lies outside the array counts as zero
        out: (frames, bands) float32, decibels
        """
        cdef Py_ssize_t count = out.shape[0], length = self.frame_length
        cdef Py_ssize_t size = length * LANES + (length // 2 + 1) * LANES + self.bands * LANES * 2
        cdef const float* sound = &samples[0] if samples.shape[0] else NULL
        cdef real* work
        if out.shape[1] != self.bands:
            raise ValueError("out: (frames, bands)")
        if count == 0 or self.bands == 0:
            return
        with nogil:
            work = <real*> malloc(size * sizeof(real) + ALIGNMENT)
            if work != NULL:
                log_mel(
                    sound, samples.shape[0], origin, hop_length, count, length, self.bands,
                    &self.window[0],
                    &self.stage_twiddles[0], &self.split_twiddles[0], &self.order[0],
                    &self.first_bin[0], &self.first_weight[0], &self.weights[0],
                    <real*> ((<size_t> work + ALIGNMENT - 1) & ~(<size_t> ALIGNMENT - 1)),
                    &out[0, 0],
                )
                free(work)
        if work == NULL:
            raise MemoryError


cdef class CosineKernel:
    """Orthonormal DCT-II of which the first `coefficients` are wanted, as a matrix product.

    c[k] = s[k] * sum over b of x[b] * cos(pi / bands * (b + 1/2) * k), s[0] = sqrt(1 / bands),
    s[k] = sqrt(2 / bands)
    """

    cdef readonly Py_ssize_t bands, coefficients
    cdef Py_ssize_t padded           # coefficients, rounded up to whole LANES
    cdef real[::1] basis             # (bands, padded)

    def __init__(self, Py_ssize_t bands, Py_ssize_t coefficients):
        if not 1 <= coefficients <= bands:
            raise ValueError("coefficients: from 1 to the number of bands")
        self.bands = bands
        self.coefficients = coefficients
        self.padded = (coefficients + LANES - 1) // LANES * LANES
        k = numpy.arange(coefficients)
        basis = numpy.zeros((bands, self.padded))
        angle = numpy.pi / bands * numpy.outer(numpy.arange(bands) + 0.5, k)
        basis[:, :coefficients] = numpy.cos(angle) * numpy.where(k == 0, 1, 2 ** 0.5) / bands ** 0.5
        self.basis = basis.astype(numpy.dtype(f"f{sizeof(real)}")).ravel()

    def frames(self, const float[:, ::1] spectrum, float[:, ::1] out):
        """Writes the coefficients of each row of spectrum into the same row of out.

        spectrum: (frames, bands) float32
        out: (frames, coefficients) float32
        """
        cdef Py_ssize_t count = spectrum.shape[0], frame, k
        cdef real* sums
        if spectrum.shape[1] != self.bands:
            raise ValueError("spectrum: (frames, bands)")
        if out.shape[0] != count or out.shape[1] != self.coefficients:
            raise ValueError("out: (frames, coefficients)")
        if count == 0:
            return
        with nogil:
            sums = <real*> malloc(self.padded * sizeof(real))
            if sums != NULL:
                for frame in range(count):
                    project(&spectrum[frame, 0], self.bands, &self.basis[0], self.padded, sums)
                    for k in range(self.coefficients):
                        out[frame, k] = <float> sums[k]
                free(sums)
        if sums == NULL:
            raise MemoryError


cdef void log_mel(
    const float* samples,            # IN (n,)
    Py_ssize_t n, Py_ssize_t origin, Py_ssize_t hop_length,
    Py_ssize_t frames, Py_ssize_t length, Py_ssize_t bands,
    const real* window, const real* stage_twiddles, const real* split_twiddles,
    const int32_t* order, const int32_t* first_bin, const int32_t* first_weight,
    const real* weights,
    real* work,                      # the batch, its power, its mel power, its decibels
    float* out,                      # OUT (frames, bands)
) noexcept nogil:
    cdef real* batch = work
    cdef real* power = batch + length * LANES
    cdef real* mel = power + (length // 2 + 1) * LANES
    cdef float* decibel = <float*> (mel + bands * LANES)
    cdef Py_ssize_t frame = 0, start, filled, lane, band
    while frame < frames:
        start = origin + frame * hop_length
        filled = min(<Py_ssize_t> LANES, frames - frame)
        if filled == LANES and start >= 0 and start + (LANES - 1) * hop_length + length <= n:
            window_inside(samples + start, hop_length, window, length, batch)
        else:
            window_at_edge(samples, n, start, hop_length, filled, window, length, batch)
        complex_fft(batch, length // 2, stage_twiddles)
        power_spectrum(batch, length // 2, split_twiddles, order, power)
        mel_bands(power, bands, first_bin, first_weight, weights, mel)
        decibels(mel, bands * LANES, decibel)
        for lane in range(filled):
            for band in range(bands):
                out[(frame + lane) * bands + band] = decibel[band * LANES + lane]
        frame += LANES


cdef void window_inside "edge_window_inside"(
    const float* samples, Py_ssize_t hop_length, const real* window, Py_ssize_t length,
    row batch,                       # OUT (length, LANES)
) noexcept nogil:
    cdef Py_ssize_t i, lane
    for i in range(length):
        for lane in range(LANES):
            batch[i * LANES + lane] = window[i] * samples[lane * hop_length + i]


cdef void window_at_edge(
    const float* samples, Py_ssize_t n, Py_ssize_t start, Py_ssize_t hop_length,
    Py_ssize_t filled, const real* window, Py_ssize_t length,
    real* batch,                     # OUT (length, LANES); lanes beyond `filled` are zero
) noexcept nogil:
    cdef Py_ssize_t i, lane, at
    for lane in range(LANES):
        for i in range(length):
            at = start + lane * hop_length + i
            if lane < filled and 0 <= at < n:
                batch[i * LANES + lane] = window[i] * samples[at]
            else:
                batch[i * LANES + lane] = 0


cdef void complex_fft "edge_complex_fft"(
    row batch,                       # IN OUT (points, 2, LANES)
    Py_ssize_t points, const real* twiddles,
) noexcept nogil:
    """Decimation in frequency, in place, radix 4 and at the end radix 2 when one is left over.

    Even and odd samples of a real frame are the real and imaginary parts that go in. Bin k comes
    out at order[k].
    """
    cdef Py_ssize_t span = points, quarter, block, j
    cdef real* at
    while span >= 4:
        quarter = span // 4
        block = 0
        while block < points:
            for j in range(quarter):
                at = batch + (block + j) * 2 * LANES
                butterfly_4(
                    at, at + quarter * 2 * LANES, at + quarter * 4 * LANES,
                    at + quarter * 6 * LANES, twiddles + j * 6,
                )
            block += span
        twiddles += quarter * 6
        span = quarter
    if span == 2:
        for block in range(points // 2):
            at = batch + block * 4 * LANES
            butterfly_2(at, at + 2 * LANES)


cdef void butterfly_4 "edge_butterfly_4"(
    row a, row b, row c, row d, const real* twiddle,
) noexcept nogil:
    cdef real w1re = twiddle[0], w1im = twiddle[1]
    cdef real w2re = twiddle[2], w2im = twiddle[3]
    cdef real w3re = twiddle[4], w3im = twiddle[5]
    cdef real sum_ac_re, sum_ac_im, dif_ac_re, dif_ac_im
    cdef real sum_bd_re, sum_bd_im, dif_bd_re, dif_bd_im
    cdef real y1re, y1im, y2re, y2im, y3re, y3im
    cdef Py_ssize_t lane
    for lane in range(LANES):
        sum_ac_re = a[lane] + c[lane]
        sum_ac_im = a[LANES + lane] + c[LANES + lane]
        dif_ac_re = a[lane] - c[lane]
        dif_ac_im = a[LANES + lane] - c[LANES + lane]
        sum_bd_re = b[lane] + d[lane]
        sum_bd_im = b[LANES + lane] + d[LANES + lane]
        dif_bd_re = b[lane] - d[lane]
        dif_bd_im = b[LANES + lane] - d[LANES + lane]
        y1re = dif_ac_re + dif_bd_im
        y1im = dif_ac_im - dif_bd_re
        y2re = sum_ac_re - sum_bd_re
        y2im = sum_ac_im - sum_bd_im
        y3re = dif_ac_re - dif_bd_im
        y3im = dif_ac_im + dif_bd_re
        a[lane] = sum_ac_re + sum_bd_re
        a[LANES + lane] = sum_ac_im + sum_bd_im
        b[lane] = y1re * w1re - y1im * w1im
        b[LANES + lane] = y1re * w1im + y1im * w1re
        c[lane] = y2re * w2re - y2im * w2im
        c[LANES + lane] = y2re * w2im + y2im * w2re
        d[lane] = y3re * w3re - y3im * w3im
        d[LANES + lane] = y3re * w3im + y3im * w3re


cdef void butterfly_2 "edge_butterfly_2"(row a, row b) noexcept nogil:
    cdef Py_ssize_t lane
    cdef real first, second
    for lane in range(2 * LANES):
        first = a[lane]
        second = b[lane]
        a[lane] = first + second
        b[lane] = first - second


cdef void power_spectrum "edge_power_spectrum"(
    row spectrum,                    # IN (points, 2, LANES), bin k at order[k]
    Py_ssize_t points, const real* twiddles, const int32_t* order,
    row power,                       # OUT (points + 1, LANES)
) noexcept nogil:
    """Bins of the real frame, from the complex transform Z of its even and odd samples:

    X[k] = E + w^k O and X[points - k] = conj(E - w^k O), where w = exp(-i pi / points),
    E = (Z[k] + conj Z[points - k]) / 2 and O = -i (Z[k] - conj Z[points - k]) / 2.
    """
    cdef Py_ssize_t k
    for k in range(points // 2 + 1):
        split(
            spectrum + order[k] * 2 * LANES, spectrum + order[points - k] * 2 * LANES,
            power + k * LANES, power + (points - k) * LANES, twiddles[2 * k], twiddles[2 * k + 1],
        )


cdef void split "edge_split"(
    row low, row high,               # IN (2, LANES): Z[k], Z[points - k]
    row low_power, row high_power,   # OUT (LANES,)
    real wre, real wim,
) noexcept nogil:
    cdef Py_ssize_t lane
    cdef real even_re, even_im, odd_re, odd_im, turned_re, turned_im
    for lane in range(LANES):
        even_re = 0.5 * (low[lane] + high[lane])
        even_im = 0.5 * (low[LANES + lane] - high[LANES + lane])
        odd_re = 0.5 * (low[LANES + lane] + high[LANES + lane])
        odd_im = -0.5 * (low[lane] - high[lane])
        turned_re = odd_re * wre - odd_im * wim
        turned_im = odd_re * wim + odd_im * wre
        low_power[lane] = ((even_re + turned_re) * (even_re + turned_re)
                           + (even_im + turned_im) * (even_im + turned_im))
        high_power[lane] = ((even_re - turned_re) * (even_re - turned_re)
                            + (even_im - turned_im) * (even_im - turned_im))


cdef void mel_bands "edge_mel_bands"(
    row power,                       # IN (bins, LANES)
    Py_ssize_t bands, const int32_t* first_bin, const int32_t* first_weight, const real* weights,
    row mel,                         # OUT (bands, LANES)
) noexcept nogil:
    cdef Py_ssize_t band, i, lane, bin
    for band in range(bands):
        for lane in range(LANES):
            mel[band * LANES + lane] = 0
        bin = first_bin[band]
        for i in range(first_weight[band], first_weight[band + 1]):
            for lane in range(LANES):
                mel[band * LANES + lane] += weights[i] * power[bin * LANES + lane]
            bin += 1


cdef void decibels "edge_decibels"(
    const real* power, Py_ssize_t size,
    float_row out,                   # OUT (size,)
) noexcept nogil:
    """10 log10(max(1e-10, power)) without the C library: every platform gives the same bits.

    power = m 2^e with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...)
    with s = (m - 1) / (m + 1), |s| < 0.172: the first term left out is below 1e-9.
    """
    cdef Py_ssize_t i
    cdef FloatBits number
    cdef int32_t exponent
    cdef float s, square, series
    for i in range(size):
        number.value = <float> power[i]
        # A little under the floor, which is then set exactly.
        number.value = number.value if number.value > <float> 0.9e-10 else <float> 0.9e-10
        exponent = (number.bits - 0x3f3504f3) >> 23
        number.bits -= exponent << 23
        s = (number.value - <float> 1) / (number.value + <float> 1)
        square = s * s
        series = <float> (1. / 9.)
        series = series * square + <float> (1. / 7.)
        series = series * square + <float> (1. / 5.)
        series = series * square + <float> (1. / 3.)
        series = series * square + <float> 1
        series = (<float> exponent * <float> 3.01029995663981195
                  + <float> 8.68588963806503655 * s * series)
        out[i] = series if series > <float> -100. else <float> -100.


cdef void project "edge_project"(
    const float* spectrum,           # IN (bands,)
    Py_ssize_t bands,
    const real* basis,               # (bands, padded)
    Py_ssize_t padded,
    row sums,                        # OUT (padded,)
) noexcept nogil:
    cdef Py_ssize_t band, k
    for k in range(padded):
        sums[k] = 0
    for band in range(bands):
        for k in range(padded):
            sums[k] += spectrum[band] * basis[band * padded + k]


def _unit_circle(steps, period):
    """exp(-2 pi i steps / period) as re, im, re, im, ..., rounded from float64."""
    angle = -2 * numpy.pi * numpy.asarray(steps, dtype=numpy.float64).ravel() / period
    return numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=1).ravel()


def _stage_twiddles(points):
    stages = [numpy.zeros(1)]
    span = points
    while span >= 4:
        stages.append(_unit_circle(numpy.outer(numpy.arange(span // 4), (1, 2, 3)), span))
        span //= 4
    return numpy.concatenate(stages[1:] or stages)


def _bin_order(points):
    """Where decimation in frequency leaves bin k: its lowest digit says which part of the array."""
    if points == 1:
        return numpy.zeros(1, dtype=numpy.int64)
    radix = 4 if points >= 4 else 2
    part = points // radix
    k = numpy.arange(points)
    return k % radix * part + _bin_order(part)[k // radix]


def _sparse_rows(filters):
    """First non-zero column of each row, where its weights begin, and all weights in one run."""
    first_bin = numpy.zeros(len(filters), dtype=numpy.int32)
    sizes = numpy.zeros(len(filters) + 1, dtype=numpy.int32)
    runs = [numpy.zeros(0)]
    for band, row in enumerate(filters):
        columns = numpy.flatnonzero(row)
        if columns.size:
            first_bin[band] = columns.min()
            runs.append(row[columns.min():columns.max() + 1])
            sizes[band + 1] = columns.max() + 1 - columns.min()
    first_weight = numpy.cumsum(sizes, dtype=numpy.int32)
    # One spare weight, so that a bank of empty bands still has an address.
    return first_bin, first_weight, numpy.append(numpy.concatenate(runs), 0)
