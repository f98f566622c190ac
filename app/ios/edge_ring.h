/* Sound on its way from the thread that records to the one that reads: a ring of 16-bit samples. */

#ifndef EDGE_RING_H
#define EDGE_RING_H

#include <stdint.h>

typedef struct edge_ring edge_ring;

/* A ring for so many samples; NULL without memory. */
edge_ring *edge_ring_new(int32_t capacity);

void edge_ring_free(edge_ring *ring);

/* Adds `count` samples, full scale 1, that lie `stride` floats apart. Never waits for the reader:
 * what does not fit is lost as a whole, and counted. */
void edge_ring_put(edge_ring *ring, const float *samples, int32_t stride, int32_t count);

/* Takes at most `count` samples, waiting for as many up to `wait_ms`, or until `edge_ring_wake`;
 * how many were taken. */
int32_t edge_ring_take(edge_ring *ring, int16_t *samples, int32_t count, int32_t wait_ms);

/* Ends a wait that is going on, or the next one. */
void edge_ring_wake(edge_ring *ring);

/* How often sound was lost. */
int32_t edge_ring_overruns(edge_ring *ring);

/* Mean power of the sound that was added last, in decibels of full scale; -160 for silence. */
float edge_ring_level(edge_ring *ring);

#endif
