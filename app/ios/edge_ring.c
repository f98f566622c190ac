#define _POSIX_C_SOURCE 200809L

#include "edge_ring.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SILENCE (-160.0f)
#define FULL_SCALE 32768.0f

struct edge_ring {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int32_t capacity;
    int32_t begin; /* of what waits */
    int32_t count; /* samples that wait */
    int32_t overruns;
    int32_t woken;
    float level;
    int16_t samples[];
};

edge_ring *edge_ring_new(int32_t capacity) {
    if (capacity <= 0) return NULL;
    edge_ring *ring = calloc(1, sizeof *ring + (size_t)capacity * sizeof ring->samples[0]);
    if (ring == NULL) return NULL;
    pthread_mutex_init(&ring->mutex, NULL);
    pthread_cond_init(&ring->changed, NULL);
    ring->capacity = capacity;
    ring->level = SILENCE;
    return ring;
}

void edge_ring_free(edge_ring *ring) {
    if (ring == NULL) return;
    pthread_cond_destroy(&ring->changed);
    pthread_mutex_destroy(&ring->mutex);
    free(ring);
}

static int16_t rounded(float sample) {
    float scaled = rintf(sample * FULL_SCALE);
    if (!(scaled > -FULL_SCALE)) return isnan(scaled) ? 0 : INT16_MIN;
    return scaled < FULL_SCALE - 1.0f ? (int16_t)scaled : INT16_MAX;
}

void edge_ring_put(edge_ring *ring, const float *samples, int32_t stride, int32_t count) {
    if (count <= 0) return;
    double power = 0.0;
    for (int32_t i = 0; i < count; i++) {
        double sample = samples[(size_t)i * (size_t)stride];
        power += sample * sample;
    }
    power /= count;
    pthread_mutex_lock(&ring->mutex);
    ring->level = power > 1e-16 ? (float)(10.0 * log10(power)) : SILENCE;
    if (count > ring->capacity - ring->count) {
        ring->overruns++;
    } else {
        int32_t at = (int32_t)(((int64_t)ring->begin + ring->count) % ring->capacity);
        for (int32_t i = 0; i < count; i++) {
            ring->samples[at] = rounded(samples[(size_t)i * (size_t)stride]);
            if (++at == ring->capacity) at = 0;
        }
        ring->count += count;
        pthread_cond_signal(&ring->changed);
    }
    pthread_mutex_unlock(&ring->mutex);
}

static struct timespec after(int32_t milliseconds) {
    struct timespec moment;
    clock_gettime(CLOCK_REALTIME, &moment);
    moment.tv_sec += milliseconds / 1000;
    moment.tv_nsec += (long)(milliseconds % 1000) * 1000000L;
    if (moment.tv_nsec >= 1000000000L) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000L;
    }
    return moment;
}

int32_t edge_ring_take(edge_ring *ring, int16_t *samples, int32_t count, int32_t wait_ms) {
    struct timespec deadline = after(wait_ms);
    pthread_mutex_lock(&ring->mutex);
    while (ring->count < count && !ring->woken)
        if (pthread_cond_timedwait(&ring->changed, &ring->mutex, &deadline) == ETIMEDOUT) break;
    ring->woken = 0;
    if (count > ring->count) count = ring->count;
    int32_t first = ring->capacity - ring->begin;
    if (first > count) first = count;
    memcpy(samples, ring->samples + ring->begin, (size_t)first * sizeof *samples);
    memcpy(samples + first, ring->samples, (size_t)(count - first) * sizeof *samples);
    ring->begin = (int32_t)(((int64_t)ring->begin + count) % ring->capacity);
    ring->count -= count;
    pthread_mutex_unlock(&ring->mutex);
    return count;
}

void edge_ring_wake(edge_ring *ring) {
    pthread_mutex_lock(&ring->mutex);
    ring->woken = 1;
    pthread_cond_signal(&ring->changed);
    pthread_mutex_unlock(&ring->mutex);
}

int32_t edge_ring_overruns(edge_ring *ring) {
    pthread_mutex_lock(&ring->mutex);
    int32_t overruns = ring->overruns;
    pthread_mutex_unlock(&ring->mutex);
    return overruns;
}

float edge_ring_level(edge_ring *ring) {
    pthread_mutex_lock(&ring->mutex);
    float level = ring->level;
    pthread_mutex_unlock(&ring->mutex);
    return level;
}
