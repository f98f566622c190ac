/* Tiles of a convolution, and sums of two tensors, by the instructions of the processor at hand.

   This is C, unlike the other kernels, since int8 products with 32-bit sums, and 32-bit products of
   which the upper half is wanted, have instructions that no compiler derives from a loop. Whatever
   the instructions, the numbers are the same. A tile is of 16 filters and up to 8 pixels:

       x         [element]                         the image in its border; int16 or (u)int8
       pixels    [pixel]                           where in x each pixel's patch begins
       segments  [segment]                         where in a patch its contiguous pieces begin
       weights   [segment][group][filter][element of group]
       sums      [pixel][filter]
       out       [pixel][filter]

   Elements are multiplied in groups: as many of them as an instruction adds up by itself. */

#ifndef EDGE_INT8_SIMD_H
#define EDGE_INT8_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EDGE_FILTERS 16
#define EDGE_PIXELS 8

typedef void (*edge_dot)(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums);

/* What brings the sums of each filter to the scale of the output. */
typedef struct {
    int32_t multipliers[EDGE_FILTERS];
    int32_t lefts[EDGE_FILTERS];
    int32_t rights[EDGE_FILTERS];
} edge_scales;

/* out = sum * multiplier * 2 ** (left - right - 31) + zero_point, from low to high; halves go up
   after the multiplier and after the shift. A sum shifted to the left is within 32 bits. */
typedef void (*edge_rescale)(
    const int32_t *sums, int count, const edge_scales *scales, int zero_point, int low, int high,
    int8_t *out);

/* What brings two inputs to one scale, and their sum to that of the output. */
typedef struct {
    int32_t zero_first, zero_second, multiplier_first, right_first, multiplier_second;
    int32_t right_second, multiplier, right, zero_point, low, high;
} edge_sum_scales;

/* out = the sum of both inputs, each less its zero, times 2 ** 20, times multiplier * 2 ** -31,
   halves up, and shifted to the right, halves away from zero; the sum likewise, from low to high. */
typedef void (*edge_add)(
    const int8_t *first, const int8_t *second, ptrdiff_t n, const edge_sum_scales *scales,
    int8_t *out);

typedef struct {
    const char *name;
    int group;     /* elements of a group */
    int bytes;     /* of an element */
    int offset;    /* what is added to an int8 value, so that the instruction takes it */
    edge_dot dot;
    edge_rescale rescale;
    edge_add add;
} edge_instructions;

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 9
#define EDGE_GCC 1
#endif

/* GCC compiles this module for size, but for its loops. */
#if defined(EDGE_GCC)
#define EDGE_QUICK __attribute__((optimize("O3")))
#else
#define EDGE_QUICK
#endif

/* What is inlined with a constant count of pixels, so that its loops over them vanish. */
#if defined(_MSC_VER)
#define EDGE_TILE static __forceinline
#else
#define EDGE_TILE static inline __attribute__((always_inline)) EDGE_QUICK
#endif

#if defined(__x86_64__) || defined(_M_X64)
#define EDGE_SSE2 1
#include <emmintrin.h>
#endif

#if defined(__x86_64__) && (defined(EDGE_GCC) || (defined(__clang__) && __clang_major__ >= 9))
#define EDGE_X86 1
#include <immintrin.h>
#endif

#if defined(__aarch64__) && !defined(__ARM_BIG_ENDIAN)
#define EDGE_NEON 1
#include <arm_neon.h>
#if defined(__ARM_FEATURE_DOTPROD)
#define EDGE_DOTPROD
#elif defined(__linux__) && defined(EDGE_GCC)
#define EDGE_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#elif defined(__linux__) && defined(__clang__) && __clang_major__ >= 16
#define EDGE_DOTPROD __attribute__((target("dotprod")))
#endif
#if defined(EDGE_DOTPROD) && !defined(__ARM_FEATURE_DOTPROD)
#include <sys/auxv.h>
#define EDGE_HWCAP_ASIMDDP (1UL << 20)
#endif
#endif

/* Needs no instructions in particular: one element at a time, and 16 filters side by side. */
static EDGE_QUICK void edge_dot_portable(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums)
{
    for (int p = 0; p < count; p++) {
        const int16_t *weight = (const int16_t *) weights;
        int32_t sum[EDGE_FILTERS];
        memcpy(sum, biases, sizeof sum);
        for (ptrdiff_t s = 0; s < n_segments; s++) {
            const int16_t *at = (const int16_t *) x + pixels[p] + segments[s];
            for (ptrdiff_t g = 0; g < groups; g++, weight += EDGE_FILTERS)
                for (int f = 0; f < EDGE_FILTERS; f++)
                    sum[f] += (int32_t) weight[f] * at[g];
        }
        memcpy(sums + p * EDGE_FILTERS, sum, sizeof sum);
    }
}

static EDGE_QUICK void edge_rescale_portable(
    const int32_t *sums, int count, const edge_scales *scales, int zero_point, int low, int high,
    int8_t *out)
{
    for (int p = 0; p < count; p++)
        for (int f = 0; f < EDGE_FILTERS; f++) {
            const int right = scales->rights[f];
            const int64_t half = ((int64_t) 1 << right) >> 1;
            int64_t value = sums[p * EDGE_FILTERS + f] * ((int64_t) 1 << scales->lefts[f]);
            value = (value * scales->multipliers[f] + ((int64_t) 1 << 30)) >> 31;
            value = ((value + half) >> right) + zero_point;
            out[p * EDGE_FILTERS + f] = (int8_t) (value < low ? low : value > high ? high : value);
        }
}

static EDGE_QUICK int32_t edge_twice_portable(int32_t value, int32_t multiplier, int32_t right)
{
    const int32_t half = (int32_t) ((uint32_t) 1 << right >> 1);
    value = (int32_t) (((int64_t) value * multiplier + ((int64_t) 1 << 30)) >> 31);
    return (value + half - (value < 0 && right > 0)) >> right;
}

static EDGE_QUICK void edge_add_portable(
    const int8_t *first, const int8_t *second, ptrdiff_t n, const edge_sum_scales *scales,
    int8_t *out)
{
    const edge_sum_scales by = *scales;
    for (ptrdiff_t i = 0; i < n; i++) {
        int32_t value = edge_twice_portable(
            (first[i] - by.zero_first) * (1 << 20), by.multiplier_first, by.right_first);
        value += edge_twice_portable(
            (second[i] - by.zero_second) * (1 << 20), by.multiplier_second, by.right_second);
        value = edge_twice_portable(value, by.multiplier, by.right) + by.zero_point;
        out[i] = (int8_t) (value < by.low ? by.low : value > by.high ? by.high : value);
    }
}

#if defined(EDGE_SSE2) || defined(EDGE_NEON)

EDGE_TILE int32_t edge_load_32(const void *from)
{
    int32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

#endif

#if defined(EDGE_SSE2)

/* Pairs of int16: PMADDWD adds the two products of each pair. */
EDGE_TILE void edge_sse2_tile(
    const int count, const int16_t *x, const int32_t *pixels, const int32_t *segments,
    ptrdiff_t n_segments, ptrdiff_t groups, const int16_t *weights, const int32_t *biases,
    int32_t *sums)
{
    const __m128i *weight = (const __m128i *) weights;
    const int16_t *rows[2];
    __m128i sum[2][4];
    for (int p = 0; p < count; p++) {
        rows[p] = x + pixels[p];
        for (int f = 0; f < 4; f++)
            sum[p][f] = _mm_loadu_si128((const __m128i *) biases + f);
    }
    for (ptrdiff_t s = 0; s < n_segments; s++) {
        ptrdiff_t at = segments[s];
        for (ptrdiff_t g = 0; g < groups; g++, at += 2, weight += 4)
            for (int p = 0; p < count; p++) {
                const __m128i pair = _mm_set1_epi32(edge_load_32(rows[p] + at));
                for (int f = 0; f < 4; f++)
                    sum[p][f] = _mm_add_epi32(
                        sum[p][f], _mm_madd_epi16(pair, _mm_loadu_si128(weight + f)));
            }
    }
    for (int p = 0; p < count; p++)
        for (int f = 0; f < 4; f++)
            _mm_storeu_si128((__m128i *) (sums + p * EDGE_FILTERS) + f, sum[p][f]);
}

static EDGE_QUICK void edge_dot_sse2(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums)
{
    int p = 0;
    for (; p + 2 <= count; p += 2)
        edge_sse2_tile(2, (const int16_t *) x, pixels + p, segments, n_segments, groups,
                       (const int16_t *) weights, biases, sums + p * EDGE_FILTERS);
    if (p < count)
        edge_sse2_tile(1, (const int16_t *) x, pixels + p, segments, n_segments, groups,
                       (const int16_t *) weights, biases, sums + p * EDGE_FILTERS);
}

#endif

#if defined(EDGE_X86)

#define EDGE_AVX2 __attribute__((target("avx2")))
#define EDGE_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

/* As with SSE2, by twice as many at a time. */
EDGE_TILE EDGE_AVX2 void edge_avx2_tile(
    const int count, const int16_t *x, const int32_t *pixels, const int32_t *segments,
    ptrdiff_t n_segments, ptrdiff_t groups, const int16_t *weights, const int32_t *biases,
    int32_t *sums)
{
    const __m256i *weight = (const __m256i *) weights;
    const int16_t *rows[4];
    __m256i low[4], high[4];
    for (int p = 0; p < count; p++) {
        rows[p] = x + pixels[p];
        low[p] = _mm256_loadu_si256((const __m256i *) biases);
        high[p] = _mm256_loadu_si256((const __m256i *) biases + 1);
    }
    for (ptrdiff_t s = 0; s < n_segments; s++) {
        ptrdiff_t at = segments[s];
        for (ptrdiff_t g = 0; g < groups; g++, at += 2, weight += 2) {
            const __m256i first = _mm256_loadu_si256(weight);
            const __m256i second = _mm256_loadu_si256(weight + 1);
            for (int p = 0; p < count; p++) {
                const __m256i pair = _mm256_set1_epi32(edge_load_32(rows[p] + at));
                low[p] = _mm256_add_epi32(low[p], _mm256_madd_epi16(pair, first));
                high[p] = _mm256_add_epi32(high[p], _mm256_madd_epi16(pair, second));
            }
        }
    }
    for (int p = 0; p < count; p++) {
        _mm256_storeu_si256((__m256i *) (sums + p * EDGE_FILTERS), low[p]);
        _mm256_storeu_si256((__m256i *) (sums + p * EDGE_FILTERS) + 1, high[p]);
    }
}

static EDGE_QUICK EDGE_AVX2 void edge_dot_avx2(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums)
{
    int p = 0;
    for (; p + 4 <= count; p += 4)
        edge_avx2_tile(4, (const int16_t *) x, pixels + p, segments, n_segments, groups,
                       (const int16_t *) weights, biases, sums + p * EDGE_FILTERS);
    for (; p < count; p++)
        edge_avx2_tile(1, (const int16_t *) x, pixels + p, segments, n_segments, groups,
                       (const int16_t *) weights, biases, sums + p * EDGE_FILTERS);
}

/* The product of 64 bits, of which the upper ones are wanted, exists for every other number only:
   once for the even ones and once for the odd ones, which are then put back between them. */
EDGE_TILE EDGE_AVX2 __m256i edge_avx2_scaled(
    __m256i value, const int32_t *multipliers, const int32_t *lefts, const int32_t *rights)
{
    const __m256i multiplier = _mm256_loadu_si256((const __m256i *) multipliers);
    const __m256i left = _mm256_loadu_si256((const __m256i *) lefts);
    const __m256i right = _mm256_loadu_si256((const __m256i *) rights);
    const __m256i half_31 = _mm256_set1_epi64x((int64_t) 1 << 30);
    const __m256i half = _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), right), 1);
    value = _mm256_sllv_epi32(value, left);
    __m256i even = _mm256_mul_epi32(value, multiplier);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(value, 32), _mm256_srli_epi64(multiplier, 32));
    even = _mm256_srli_epi64(_mm256_add_epi64(even, half_31), 31);
    odd = _mm256_slli_epi64(_mm256_add_epi64(odd, half_31), 1);
    value = _mm256_blend_epi32(even, odd, 0xAA);
    return _mm256_srav_epi32(_mm256_add_epi32(value, half), right);
}

static EDGE_QUICK EDGE_AVX2 void edge_rescale_avx2(
    const int32_t *sums, int count, const edge_scales *scales, int zero_point, int low, int high,
    int8_t *out)
{
    const __m256i zero = _mm256_set1_epi32(zero_point);
    const __m256i least = _mm256_set1_epi32(low), most = _mm256_set1_epi32(high);
    for (int p = 0; p < count; p++, sums += EDGE_FILTERS, out += EDGE_FILTERS) {
        __m256i first = edge_avx2_scaled(
            _mm256_loadu_si256((const __m256i *) sums), scales->multipliers, scales->lefts,
            scales->rights);
        __m256i second = edge_avx2_scaled(
            _mm256_loadu_si256((const __m256i *) (sums + 8)), scales->multipliers + 8,
            scales->lefts + 8, scales->rights + 8);
        first = _mm256_min_epi32(_mm256_max_epi32(_mm256_add_epi32(first, zero), least), most);
        second = _mm256_min_epi32(_mm256_max_epi32(_mm256_add_epi32(second, zero), least), most);
        /* Packing works within halves of a vector: put the four pieces in order. */
        first = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
        _mm_storeu_si128((__m128i *) out, _mm_packs_epi16(
            _mm256_castsi256_si128(first), _mm256_extracti128_si256(first, 1)));
    }
}

EDGE_TILE EDGE_AVX2 __m256i edge_avx2_twice(__m256i value, int32_t multiplier, int32_t right)
{
    const __m256i by = _mm256_set1_epi32(multiplier);
    const __m256i half_31 = _mm256_set1_epi64x((int64_t) 1 << 30);
    const __m256i half = _mm256_set1_epi32((int32_t) ((uint32_t) 1 << right >> 1));
    __m256i even = _mm256_mul_epi32(value, by);
    __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(value, 32), by);
    even = _mm256_srli_epi64(_mm256_add_epi64(even, half_31), 31);
    odd = _mm256_slli_epi64(_mm256_add_epi64(odd, half_31), 1);
    value = _mm256_blend_epi32(even, odd, 0xAA);
    if (right > 0)
        value = _mm256_add_epi32(value, _mm256_srai_epi32(value, 31));
    return _mm256_sra_epi32(_mm256_add_epi32(value, half), _mm_cvtsi32_si128(right));
}

static EDGE_QUICK EDGE_AVX2 void edge_add_avx2(
    const int8_t *first, const int8_t *second, ptrdiff_t n, const edge_sum_scales *scales,
    int8_t *out)
{
    const edge_sum_scales by = *scales;
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        __m256i one = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) (first + i)));
        __m256i other = _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *) (second + i)));
        one = _mm256_slli_epi32(_mm256_sub_epi32(one, _mm256_set1_epi32(by.zero_first)), 20);
        other = _mm256_slli_epi32(_mm256_sub_epi32(other, _mm256_set1_epi32(by.zero_second)), 20);
        __m256i sum = _mm256_add_epi32(
            edge_avx2_twice(one, by.multiplier_first, by.right_first),
            edge_avx2_twice(other, by.multiplier_second, by.right_second));
        sum = edge_avx2_twice(sum, by.multiplier, by.right);
        sum = _mm256_add_epi32(sum, _mm256_set1_epi32(by.zero_point));
        sum = _mm256_max_epi32(sum, _mm256_set1_epi32(by.low));
        sum = _mm256_min_epi32(sum, _mm256_set1_epi32(by.high));
        const __m128i shorts = _mm_packs_epi32(
            _mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
        _mm_storel_epi64((__m128i *) (out + i), _mm_packs_epi16(shorts, shorts));
    }
    edge_add_portable(first + i, second + i, n - i, scales, out + i);
}

/* Fours of a uint8 and an int8: VPDPBUSD adds the four products of each to the sum. */
EDGE_TILE EDGE_VNNI void edge_vnni_tile(
    const int count, const uint8_t *x, const int32_t *pixels, const int32_t *segments,
    ptrdiff_t n_segments, ptrdiff_t groups, const int8_t *weights, const int32_t *biases,
    int32_t *sums)
{
    const uint8_t *rows[EDGE_PIXELS];
    __m512i sum[EDGE_PIXELS];
    for (int p = 0; p < count; p++) {
        rows[p] = x + pixels[p];
        sum[p] = _mm512_loadu_si512(biases);
    }
    for (ptrdiff_t s = 0; s < n_segments; s++) {
        ptrdiff_t at = segments[s];
        for (ptrdiff_t g = 0; g < groups; g++, at += 4, weights += 4 * EDGE_FILTERS) {
            const __m512i weight = _mm512_loadu_si512(weights);
            for (int p = 0; p < count; p++)
                sum[p] = _mm512_dpbusd_epi32(
                    sum[p], _mm512_set1_epi32(edge_load_32(rows[p] + at)), weight);
        }
    }
    for (int p = 0; p < count; p++)
        _mm512_storeu_si512(sums + p * EDGE_FILTERS, sum[p]);
}

static EDGE_QUICK EDGE_VNNI void edge_dot_vnni(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums)
{
    int p = 0;
    if (count == EDGE_PIXELS) {
        edge_vnni_tile(EDGE_PIXELS, (const uint8_t *) x, pixels, segments, n_segments, groups,
                       (const int8_t *) weights, biases, sums);
        return;
    }
    for (; p + 2 <= count; p += 2)
        edge_vnni_tile(2, (const uint8_t *) x, pixels + p, segments, n_segments, groups,
                       (const int8_t *) weights, biases, sums + p * EDGE_FILTERS);
    for (; p < count; p++)
        edge_vnni_tile(1, (const uint8_t *) x, pixels + p, segments, n_segments, groups,
                       (const int8_t *) weights, biases, sums + p * EDGE_FILTERS);
}

static EDGE_QUICK EDGE_VNNI void edge_rescale_vnni(
    const int32_t *sums, int count, const edge_scales *scales, int zero_point, int low, int high,
    int8_t *out)
{
    const __m512i multiplier = _mm512_loadu_si512(scales->multipliers);
    const __m512i odd_multiplier = _mm512_srli_epi64(multiplier, 32);
    const __m512i left = _mm512_loadu_si512(scales->lefts);
    const __m512i right = _mm512_loadu_si512(scales->rights);
    const __m512i half_31 = _mm512_set1_epi64((int64_t) 1 << 30);
    const __m512i half = _mm512_srli_epi32(_mm512_sllv_epi32(_mm512_set1_epi32(1), right), 1);
    const __m512i zero = _mm512_set1_epi32(zero_point);
    const __m512i least = _mm512_set1_epi32(low), most = _mm512_set1_epi32(high);
    for (int p = 0; p < count; p++, sums += EDGE_FILTERS, out += EDGE_FILTERS) {
        __m512i value = _mm512_sllv_epi32(_mm512_loadu_si512(sums), left);
        __m512i even = _mm512_mul_epi32(value, multiplier);
        __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(value, 32), odd_multiplier);
        even = _mm512_srli_epi64(_mm512_add_epi64(even, half_31), 31);
        odd = _mm512_slli_epi64(_mm512_add_epi64(odd, half_31), 1);
        value = _mm512_mask_blend_epi32(0xAAAA, even, odd);
        value = _mm512_srav_epi32(_mm512_add_epi32(value, half), right);
        value = _mm512_min_epi32(_mm512_max_epi32(_mm512_add_epi32(value, zero), least), most);
        _mm_storeu_si128((__m128i *) out, _mm512_cvtepi32_epi8(value));
    }
}

EDGE_TILE EDGE_VNNI __m512i edge_vnni_twice(__m512i value, int32_t multiplier, int32_t right)
{
    const __m512i by = _mm512_set1_epi32(multiplier);
    const __m512i half_31 = _mm512_set1_epi64((int64_t) 1 << 30);
    const __m512i half = _mm512_set1_epi32((int32_t) ((uint32_t) 1 << right >> 1));
    __m512i even = _mm512_mul_epi32(value, by);
    __m512i odd = _mm512_mul_epi32(_mm512_srli_epi64(value, 32), by);
    even = _mm512_srli_epi64(_mm512_add_epi64(even, half_31), 31);
    odd = _mm512_slli_epi64(_mm512_add_epi64(odd, half_31), 1);
    value = _mm512_mask_blend_epi32(0xAAAA, even, odd);
    if (right > 0)
        value = _mm512_add_epi32(value, _mm512_srai_epi32(value, 31));
    return _mm512_sra_epi32(_mm512_add_epi32(value, half), _mm_cvtsi32_si128(right));
}

static EDGE_QUICK EDGE_VNNI void edge_add_vnni(
    const int8_t *first, const int8_t *second, ptrdiff_t n, const edge_sum_scales *scales,
    int8_t *out)
{
    const edge_sum_scales by = *scales;
    ptrdiff_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m512i one = _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) (first + i)));
        __m512i other = _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *) (second + i)));
        one = _mm512_slli_epi32(_mm512_sub_epi32(one, _mm512_set1_epi32(by.zero_first)), 20);
        other = _mm512_slli_epi32(_mm512_sub_epi32(other, _mm512_set1_epi32(by.zero_second)), 20);
        __m512i sum = _mm512_add_epi32(
            edge_vnni_twice(one, by.multiplier_first, by.right_first),
            edge_vnni_twice(other, by.multiplier_second, by.right_second));
        sum = edge_vnni_twice(sum, by.multiplier, by.right);
        sum = _mm512_add_epi32(sum, _mm512_set1_epi32(by.zero_point));
        sum = _mm512_max_epi32(sum, _mm512_set1_epi32(by.low));
        sum = _mm512_min_epi32(sum, _mm512_set1_epi32(by.high));
        _mm_storeu_si128((__m128i *) (out + i), _mm512_cvtepi32_epi8(sum));
    }
    edge_add_portable(first + i, second + i, n - i, scales, out + i);
}

#endif

#if defined(EDGE_NEON)

/* One int16 at a time: SMLAL multiplies to 32 bits and adds. */
EDGE_TILE void edge_neon_tile(
    const int count, const int16_t *x, const int32_t *pixels, const int32_t *segments,
    ptrdiff_t n_segments, ptrdiff_t groups, const int16_t *weights, const int32_t *biases,
    int32_t *sums)
{
    const int16_t *rows[4];
    int32x4_t sum[4][4];
    for (int p = 0; p < count; p++) {
        rows[p] = x + pixels[p];
        for (int f = 0; f < 4; f++)
            sum[p][f] = vld1q_s32(biases + 4 * f);
    }
    for (ptrdiff_t s = 0; s < n_segments; s++) {
        ptrdiff_t at = segments[s];
        for (ptrdiff_t g = 0; g < groups; g++, at++, weights += EDGE_FILTERS) {
            const int16x8_t first = vld1q_s16(weights), second = vld1q_s16(weights + 8);
            for (int p = 0; p < count; p++) {
                const int16x8_t value = vld1q_dup_s16(rows[p] + at);
                sum[p][0] = vmlal_s16(sum[p][0], vget_low_s16(first), vget_low_s16(value));
                sum[p][1] = vmlal_high_s16(sum[p][1], first, value);
                sum[p][2] = vmlal_s16(sum[p][2], vget_low_s16(second), vget_low_s16(value));
                sum[p][3] = vmlal_high_s16(sum[p][3], second, value);
            }
        }
    }
    for (int p = 0; p < count; p++)
        for (int f = 0; f < 4; f++)
            vst1q_s32(sums + p * EDGE_FILTERS + 4 * f, sum[p][f]);
}

static EDGE_QUICK void edge_dot_neon(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums)
{
    int p = 0;
    for (; p + 4 <= count; p += 4)
        edge_neon_tile(4, (const int16_t *) x, pixels + p, segments, n_segments, groups,
                       (const int16_t *) weights, biases, sums + p * EDGE_FILTERS);
    for (; p < count; p++)
        edge_neon_tile(1, (const int16_t *) x, pixels + p, segments, n_segments, groups,
                       (const int16_t *) weights, biases, sums + p * EDGE_FILTERS);
}

/* SQRDMULH doubles the product and keeps its upper half, rounded; SRSHL shifts and rounds. */
static EDGE_QUICK void edge_rescale_neon(
    const int32_t *sums, int count, const edge_scales *scales, int zero_point, int low, int high,
    int8_t *out)
{
    const int32x4_t zero = vdupq_n_s32(zero_point);
    const int32x4_t least = vdupq_n_s32(low), most = vdupq_n_s32(high);
    for (int p = 0; p < count; p++, sums += EDGE_FILTERS, out += EDGE_FILTERS) {
        int32x4_t value[4];
        for (int f = 0; f < 4; f++) {
            value[f] = vshlq_s32(vld1q_s32(sums + 4 * f), vld1q_s32(scales->lefts + 4 * f));
            value[f] = vqrdmulhq_s32(value[f], vld1q_s32(scales->multipliers + 4 * f));
            value[f] = vrshlq_s32(value[f], vnegq_s32(vld1q_s32(scales->rights + 4 * f)));
            value[f] = vminq_s32(vmaxq_s32(vaddq_s32(value[f], zero), least), most);
        }
        const int16x8_t first = vcombine_s16(vmovn_s32(value[0]), vmovn_s32(value[1]));
        const int16x8_t second = vcombine_s16(vmovn_s32(value[2]), vmovn_s32(value[3]));
        vst1q_s8(out, vcombine_s8(vmovn_s16(first), vmovn_s16(second)));
    }
}

/* SRSHL sends halves up; those of negative numbers are sent down by taking one off before. */
EDGE_TILE int32x4_t edge_neon_twice(int32x4_t value, int32_t multiplier, int32_t right)
{
    value = vqrdmulhq_n_s32(value, multiplier);
    if (right > 0)
        value = vaddq_s32(value, vshrq_n_s32(value, 31));
    return vrshlq_s32(value, vdupq_n_s32(-right));
}

static EDGE_QUICK void edge_add_neon(
    const int8_t *first, const int8_t *second, ptrdiff_t n, const edge_sum_scales *scales,
    int8_t *out)
{
    const edge_sum_scales by = *scales;
    ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const int16x8_t one = vsubq_s16(
            vmovl_s8(vld1_s8(first + i)), vdupq_n_s16((int16_t) by.zero_first));
        const int16x8_t other = vsubq_s16(
            vmovl_s8(vld1_s8(second + i)), vdupq_n_s16((int16_t) by.zero_second));
        int16x4_t halves[2];
        for (int h = 0; h < 2; h++) {
            int32x4_t sum = edge_neon_twice(
                vshlq_n_s32(vmovl_s16(h ? vget_high_s16(one) : vget_low_s16(one)), 20),
                by.multiplier_first, by.right_first);
            sum = vaddq_s32(sum, edge_neon_twice(
                vshlq_n_s32(vmovl_s16(h ? vget_high_s16(other) : vget_low_s16(other)), 20),
                by.multiplier_second, by.right_second));
            sum = edge_neon_twice(sum, by.multiplier, by.right);
            sum = vaddq_s32(sum, vdupq_n_s32(by.zero_point));
            sum = vminq_s32(vmaxq_s32(sum, vdupq_n_s32(by.low)), vdupq_n_s32(by.high));
            halves[h] = vmovn_s32(sum);
        }
        vst1_s8(out + i, vmovn_s16(vcombine_s16(halves[0], halves[1])));
    }
    edge_add_portable(first + i, second + i, n - i, scales, out + i);
}

#if defined(EDGE_DOTPROD)

/* Fours of int8: SDOT adds the four products of each to the sum. */
EDGE_TILE EDGE_DOTPROD void edge_dotprod_tile(
    const int count, const int8_t *x, const int32_t *pixels, const int32_t *segments,
    ptrdiff_t n_segments, ptrdiff_t groups, const int8_t *weights, const int32_t *biases,
    int32_t *sums)
{
    const int8_t *rows[4];
    int32x4_t sum[4][4];
    for (int p = 0; p < count; p++) {
        rows[p] = x + pixels[p];
        for (int f = 0; f < 4; f++)
            sum[p][f] = vld1q_s32(biases + 4 * f);
    }
    for (ptrdiff_t s = 0; s < n_segments; s++) {
        ptrdiff_t at = segments[s];
        for (ptrdiff_t g = 0; g < groups; g++, at += 4, weights += 4 * EDGE_FILTERS) {
            int8x16_t weight[4];
            for (int f = 0; f < 4; f++)
                weight[f] = vld1q_s8(weights + 16 * f);
            for (int p = 0; p < count; p++) {
                const int8x16_t four = vreinterpretq_s8_s32(
                    vdupq_n_s32(edge_load_32(rows[p] + at)));
                for (int f = 0; f < 4; f++)
                    sum[p][f] = vdotq_s32(sum[p][f], weight[f], four);
            }
        }
    }
    for (int p = 0; p < count; p++)
        for (int f = 0; f < 4; f++)
            vst1q_s32(sums + p * EDGE_FILTERS + 4 * f, sum[p][f]);
}

static EDGE_QUICK EDGE_DOTPROD void edge_dot_dotprod(
    const void *x, const int32_t *pixels, int count, const int32_t *segments, ptrdiff_t n_segments,
    ptrdiff_t groups, const void *weights, const int32_t *biases, int32_t *sums)
{
    int p = 0;
    for (; p + 4 <= count; p += 4)
        edge_dotprod_tile(4, (const int8_t *) x, pixels + p, segments, n_segments, groups,
                          (const int8_t *) weights, biases, sums + p * EDGE_FILTERS);
    for (; p < count; p++)
        edge_dotprod_tile(1, (const int8_t *) x, pixels + p, segments, n_segments, groups,
                          (const int8_t *) weights, biases, sums + p * EDGE_FILTERS);
}

#endif
#endif

#define EDGE_MOST_INSTRUCTIONS 4

/* Fills in what this processor has, the quickest first, and returns how many. */
static EDGE_QUICK int edge_find_instructions(edge_instructions *found)
{
    int n = 0;
#if defined(EDGE_X86)
    const edge_instructions vnni = {
        "avx512vnni", 4, 1, 128, edge_dot_vnni, edge_rescale_vnni, edge_add_vnni};
    const edge_instructions avx2 = {
        "avx2", 2, 2, 0, edge_dot_avx2, edge_rescale_avx2, edge_add_avx2};
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni"))
        found[n++] = vnni;
    if (__builtin_cpu_supports("avx2"))
        found[n++] = avx2;
#endif
#if defined(EDGE_SSE2)
    const edge_instructions sse2 = {
        "sse2", 2, 2, 0, edge_dot_sse2, edge_rescale_portable, edge_add_portable};
    found[n++] = sse2;
#endif
#if defined(EDGE_NEON)
#if defined(EDGE_DOTPROD)
    const edge_instructions dotprod = {
        "dotprod", 4, 1, 0, edge_dot_dotprod, edge_rescale_neon, edge_add_neon};
#if defined(__ARM_FEATURE_DOTPROD)
    found[n++] = dotprod;
#else
    if (getauxval(AT_HWCAP) & EDGE_HWCAP_ASIMDDP)
        found[n++] = dotprod;
#endif
#endif
    const edge_instructions neon = {
        "neon", 1, 2, 0, edge_dot_neon, edge_rescale_neon, edge_add_neon};
    found[n++] = neon;
#endif
    const edge_instructions portable = {
        "portable", 1, 2, 0, edge_dot_portable, edge_rescale_portable, edge_add_portable};
    found[n++] = portable;
    return n;
}

#endif
