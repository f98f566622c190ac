/* The microphone of iOS as plain C, for Python's ctypes: what pyobjus cannot do, since it passes no
 * blocks. Build edge_microphone.m (without ARC) and edge_ring.c into the app, against the
 * frameworks AVFoundation, Foundation and UIKit, and keep the symbols: Python looks them up by name. */

#ifndef EDGE_MICROPHONE_H
#define EDGE_MICROPHONE_H

#include <stdint.h>

#define EDGE_EXPORT __attribute__((visibility("default"), used))

typedef struct edge_microphone edge_microphone;

enum { EDGE_PERMISSION_UNKNOWN = 0, EDGE_PERMISSION_DENIED = 1, EDGE_PERMISSION_GRANTED = 2 };

enum { EDGE_RUNNING = 0, EDGE_INTERRUPTED = 1, EDGE_LOST = 2 };

enum {
    EDGE_OK = 0,
    EDGE_BUSY = -1,        /* a call, or another app */
    EDGE_MISSING = -2,     /* no microphone */
    EDGE_UNSUPPORTED = -3, /* no format of use */
    EDGE_FAILED = -4
};

EDGE_EXPORT int32_t edge_microphone_permission(void);

/* Asks for the permission, if it was never asked; `edge_microphone_permission` tells the answer. */
EDGE_EXPORT void edge_microphone_ask_permission(void);

/* Shows the app's page in the settings, from any thread; whether there is one. */
EDGE_EXPORT int32_t edge_microphone_open_settings(void);

/* Gets hold of the microphone; EDGE_OK or an error. It is silent until `start`. */
EDGE_EXPORT int32_t edge_microphone_open(edge_microphone **opened);

/* Of the samples, in hertz: the device's own. */
EDGE_EXPORT double edge_microphone_sample_rate(edge_microphone *microphone);

/* Listens, or listens again after `pause`; EDGE_OK or an error. */
EDGE_EXPORT int32_t edge_microphone_start(edge_microphone *microphone);

/* Stops listening, and ends a `read` that waits. */
EDGE_EXPORT void edge_microphone_pause(edge_microphone *microphone);

/* Takes at most `count` samples, waiting for as many up to `wait_ms`; how many were taken. */
EDGE_EXPORT int32_t edge_microphone_read(
    edge_microphone *microphone, int16_t *samples, int32_t count, int32_t wait_ms);

/* EDGE_RUNNING (also while paused), EDGE_INTERRUPTED or EDGE_LOST. */
EDGE_EXPORT int32_t edge_microphone_state(edge_microphone *microphone);

/* How often sound was lost, since nobody read it. */
EDGE_EXPORT int32_t edge_microphone_overruns(edge_microphone *microphone);

/* Mean power of the last sound, -160 ... 0 decibels of full scale. */
EDGE_EXPORT float edge_microphone_level(edge_microphone *microphone);

/* Copies the name of the input in UTF-8, at most `size` bytes with the NUL; its length. */
EDGE_EXPORT int32_t edge_microphone_route(edge_microphone *microphone, char *name, int32_t size);

/* Lets go of everything. No other function may be running, or be called after it. */
EDGE_EXPORT void edge_microphone_close(edge_microphone *microphone);

#endif
