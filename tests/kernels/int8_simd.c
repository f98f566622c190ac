/* Compares each set of instructions with sums in 64 bits: int8_simd.h by itself, for any processor.
   Prints the sets that were compared. */

#include <stdio.h>
#include <stdlib.h>

#include "int8_simd.h"

enum { CASES = 300, MOST_SEGMENTS = 5, MOST_LENGTH = 40, IMAGE = 1000 };

static uint32_t state = 12345;

static int32_t between(int32_t low, int32_t high)
{
    state = state * 1664525u + 1013904223u;
    return low + (int32_t) ((uint64_t) (state >> 8) * (uint64_t) (high - low + 1) >> 24);
}

static int8_t scaled(int32_t sum, int32_t multiplier, int shift, int zero_point, int low, int high)
{
    /* floor(x + 1/2), once after the multiplier and once after the shift */
    int64_t value = (int64_t) sum * (shift > 0 ? 1 << shift : 1) * multiplier + (1 << 30);
    value = (value - ((value % (1LL << 31)) + (1LL << 31)) % (1LL << 31)) / (1LL << 31);
    if (shift < 0) {
        const int64_t unit = 1LL << -shift;
        value += unit / 2;
        value = (value - ((value % unit) + unit) % unit) / unit;
    }
    value += zero_point;
    return (int8_t) (value < low ? low : value > high ? high : value);
}

static int compare(const edge_instructions *use)
{
    static int8_t image[IMAGE], weights[EDGE_FILTERS][MOST_SEGMENTS][MOST_LENGTH];
    static int16_t shorts[IMAGE], short_weights[MOST_SEGMENTS * (MOST_LENGTH + 4) * EDGE_FILTERS];
    static int8_t bytes[IMAGE], byte_weights[MOST_SEGMENTS * (MOST_LENGTH + 4) * EDGE_FILTERS];
    int32_t pixels[EDGE_PIXELS], segments[MOST_SEGMENTS], biases[EDGE_FILTERS];
    int32_t sums[EDGE_PIXELS * EDGE_FILTERS];
    int8_t out[EDGE_PIXELS * EDGE_FILTERS];
    edge_scales scales;
    const int n_segments = between(1, MOST_SEGMENTS), length = between(1, MOST_LENGTH);
    const int count = between(1, EDGE_PIXELS), zero = between(-128, 127);
    const int low = between(-128, 0), high = between(1, 127);
    const int groups = (length + use->group - 1) / use->group;
    for (int i = 0; i < IMAGE; i++) {
        image[i] = (int8_t) between(-128, 127);
        shorts[i] = image[i];
        bytes[i] = (int8_t) (uint8_t) (image[i] + use->offset);
    }
    for (int p = 0; p < count; p++)
        pixels[p] = between(0, 300);
    for (int s = 0; s < n_segments; s++)
        segments[s] = between(0, 600);
    memset(short_weights, 0, sizeof short_weights);
    memset(byte_weights, 0, sizeof byte_weights);
    for (int f = 0; f < EDGE_FILTERS; f++) {
        int32_t sum = 0;
        for (int s = 0; s < n_segments; s++)
            for (int i = 0; i < length; i++) {
                const int group = s * groups + i / use->group;
                const int at = (group * EDGE_FILTERS + f) * use->group + i % use->group;
                weights[f][s][i] = (int8_t) between(-128, 127);
                short_weights[at] = byte_weights[at] = weights[f][s][i];
                sum += weights[f][s][i];
            }
        biases[f] = between(-100000, 100000) - use->offset * sum;
        scales.multipliers[f] = between(1 << 20, (1 << 24) - 1) << 7;
        const int shift = between(-20, 3);
        scales.lefts[f] = shift > 0 ? shift : 0;
        scales.rights[f] = shift < 0 ? -shift : 0;
    }
    use->dot(
        use->bytes == 1 ? (const void *) bytes : shorts, pixels, count, segments, n_segments,
        groups, use->bytes == 1 ? (const void *) byte_weights : short_weights, biases, sums);
    use->rescale(sums, count, &scales, zero, low, high, out);
    for (int p = 0; p < count; p++)
        for (int f = 0; f < EDGE_FILTERS; f++) {
            int64_t sum = biases[f];
            for (int s = 0; s < n_segments; s++)
                for (int i = 0; i < length; i++)
                    sum += (image[pixels[p] + segments[s] + i] + use->offset) * weights[f][s][i];
            const int at = p * EDGE_FILTERS + f;
            const int8_t wanted = scaled(
                (int32_t) sum, scales.multipliers[f], scales.lefts[f] - scales.rights[f], zero,
                low, high);
            if (sums[at] != sum || out[at] != wanted) {
                printf("%s: sum %ld instead of %ld, out %d instead of %d\n", use->name,
                       (long) sums[at], (long) sum, out[at], wanted);
                return 0;
            }
        }
    return 1;
}

static int64_t halves_away(int64_t value, int shift)
{
    const int64_t unit = 1LL << shift, size = ((value < 0 ? -value : value) + unit / 2) / unit;
    return value < 0 ? -size : size;
}

static int64_t halves_up(int64_t value)
{
    value += 1 << 30;
    return (value - ((value % (1LL << 31)) + (1LL << 31)) % (1LL << 31)) / (1LL << 31);
}

static int compare_sums(const edge_instructions *use)
{
    enum { MOST = 70 };
    int8_t first[MOST], second[MOST], out[MOST];
    const int n = between(1, MOST);
    const edge_sum_scales by = {
        between(-128, 127), between(-128, 127), between(1 << 23, (1 << 24) - 1) << 7, between(0, 6),
        between(1 << 23, (1 << 24) - 1) << 7, between(0, 6), between(1 << 23, (1 << 24) - 1) << 7,
        between(16, 22), between(-128, 127), between(-128, 0), between(1, 127)};
    for (int i = 0; i < n; i++) {
        first[i] = (int8_t) between(-128, 127);
        second[i] = (int8_t) between(-128, 127);
    }
    use->add(first, second, n, &by, out);
    for (int i = 0; i < n; i++) {
        int64_t sum = halves_away(
            halves_up((int64_t) (first[i] - by.zero_first) * (1 << 20) * by.multiplier_first),
            by.right_first);
        sum += halves_away(
            halves_up((int64_t) (second[i] - by.zero_second) * (1 << 20) * by.multiplier_second),
            by.right_second);
        sum = halves_away(halves_up(sum * by.multiplier), by.right) + by.zero_point;
        sum = sum < by.low ? by.low : sum > by.high ? by.high : sum;
        if (out[i] != sum) {
            printf("%s: %d instead of %ld\n", use->name, out[i], (long) sum);
            return 0;
        }
    }
    return 1;
}

int main(void)
{
    edge_instructions found[EDGE_MOST_INSTRUCTIONS];
    const int n = edge_find_instructions(found);
    for (int i = 0; i < n; i++) {
        for (int times = 0; times < CASES; times++)
            if (!compare(found + i) || !compare_sums(found + i))
                return 1;
        printf("%s\n", found[i].name);
    }
    return 0;
}
