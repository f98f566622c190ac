#import <AVFoundation/AVFoundation.h>
#import <UIKit/UIKit.h>

#include <pthread.h>
#include <string.h>

#include "edge_microphone.h"
#include "edge_ring.h"

#if __has_feature(objc_arc)
#error "build this file without ARC: -fno-objc-arc"
#endif

#define RING_SECONDS 10.0
#define TAPS_PER_SECOND 20.0

/* What a handle points to. The blocks that iOS holds keep it alive while they run. */
@interface EdgeMicrophone : NSObject {
   @public
    pthread_mutex_t mutex; /* recursive; guards all below */
    AVAudioEngine *engine;
    edge_ring *ring;
    double sample_rate;
    int32_t state;
    int32_t wanted; /* whether it is to listen when nothing interrupts it */
    int32_t tapped;
    id observers[3];
}
@end

@implementation EdgeMicrophone

- (id)init {
    self = [super init];
    if (self != nil) {
        pthread_mutexattr_t recursive;
        pthread_mutexattr_init(&recursive);
        pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
        pthread_mutex_init(&mutex, &recursive);
        pthread_mutexattr_destroy(&recursive);
        engine = [[AVAudioEngine alloc] init];
    }
    return self;
}

- (void)dealloc {
    [engine release];
    edge_ring_free(ring);
    pthread_mutex_destroy(&mutex);
    [super dealloc];
}

@end

int32_t edge_microphone_permission(void) {
    switch ([[AVAudioSession sharedInstance] recordPermission]) {
        case AVAudioSessionRecordPermissionGranted:
            return EDGE_PERMISSION_GRANTED;
        case AVAudioSessionRecordPermissionDenied:
            return EDGE_PERMISSION_DENIED;
        default:
            return EDGE_PERMISSION_UNKNOWN;
    }
}

void edge_microphone_ask_permission(void) {
    [[AVAudioSession sharedInstance] requestRecordPermission:^(BOOL granted) {
        (void)granted;
    }];
}

int32_t edge_microphone_open_settings(void) {
    NSURL *url = [NSURL URLWithString:UIApplicationOpenSettingsURLString];
    if (url == nil) return 0;
    [[NSOperationQueue mainQueue] addOperationWithBlock:^{
        [[UIApplication sharedApplication] openURL:url
                                           options:[NSDictionary dictionary]
                                 completionHandler:nil];
    }];
    return 1;
}

static int32_t activate(void) {
    AVAudioSession *session = [AVAudioSession sharedInstance];
    if (![session setCategory:AVAudioSessionCategoryRecord
                         mode:AVAudioSessionModeMeasurement
                      options:0
                        error:NULL])
        return EDGE_BUSY;
    if (![session setActive:YES error:NULL]) return EDGE_BUSY;
    return [session isInputAvailable] ? EDGE_OK : EDGE_MISSING;
}

/* Under the mutex. */
static void stop_engine(EdgeMicrophone *microphone) {
    [microphone->engine stop];
    if (microphone->tapped) {
        [[microphone->engine inputNode] removeTapOnBus:0];
        microphone->tapped = 0;
    }
}

/* Under the mutex. */
static int32_t start_engine(EdgeMicrophone *microphone) {
    stop_engine(microphone);
    int32_t code = activate();
    if (code != EDGE_OK) return code;
    AVAudioInputNode *input = [microphone->engine inputNode];
    AVAudioFormat *format = [input outputFormatForBus:0];
    if ([format channelCount] == 0) return EDGE_MISSING;
    /* Another device, of another rate: the samples would no longer fit those before. */
    if ([format sampleRate] != microphone->sample_rate) return EDGE_UNSUPPORTED;
    [input installTapOnBus:0
                bufferSize:(AVAudioFrameCount)(microphone->sample_rate / TAPS_PER_SECOND)
                    format:format
                     block:^(AVAudioPCMBuffer *buffer, AVAudioTime *when) {
                       (void)when;
                       float *const *channels = [buffer floatChannelData];
                       if (channels != NULL)
                           edge_ring_put(
                               microphone->ring,
                               channels[0],
                               (int32_t)[buffer stride],
                               (int32_t)[buffer frameLength]);
                     }];
    microphone->tapped = 1;
    [microphone->engine prepare];
    if (![microphone->engine startAndReturnError:NULL]) {
        stop_engine(microphone);
        return EDGE_BUSY;
    }
    return EDGE_OK;
}

static void was_interrupted(EdgeMicrophone *microphone, BOOL began) {
    pthread_mutex_lock(&microphone->mutex);
    if (began) {
        stop_engine(microphone);
        if (microphone->state == EDGE_RUNNING) microphone->state = EDGE_INTERRUPTED;
    } else if (microphone->state == EDGE_INTERRUPTED) {
        int32_t code = microphone->wanted ? start_engine(microphone) : EDGE_OK;
        if (code == EDGE_OK) microphone->state = EDGE_RUNNING;
        else if (code != EDGE_BUSY) microphone->state = EDGE_LOST;
    }
    pthread_mutex_unlock(&microphone->mutex);
    edge_ring_wake(microphone->ring);
}

/* The route changed, and iOS has stopped the engine. */
static void was_reconfigured(EdgeMicrophone *microphone) {
    pthread_mutex_lock(&microphone->mutex);
    if (microphone->wanted && microphone->state == EDGE_RUNNING) {
        int32_t code = start_engine(microphone);
        if (code == EDGE_BUSY) microphone->state = EDGE_INTERRUPTED;
        else if (code != EDGE_OK) microphone->state = EDGE_LOST;
    }
    pthread_mutex_unlock(&microphone->mutex);
    edge_ring_wake(microphone->ring);
}

static void was_reset(EdgeMicrophone *microphone) {
    pthread_mutex_lock(&microphone->mutex);
    microphone->state = EDGE_LOST;
    pthread_mutex_unlock(&microphone->mutex);
    edge_ring_wake(microphone->ring);
}

static void observe(EdgeMicrophone *microphone) {
    NSNotificationCenter *center = [NSNotificationCenter defaultCenter];
    microphone->observers[0] = [[center
        addObserverForName:AVAudioSessionInterruptionNotification
                    object:nil
                     queue:nil
                usingBlock:^(NSNotification *notification) {
                  NSNumber *type =
                      [[notification userInfo] objectForKey:AVAudioSessionInterruptionTypeKey];
                  was_interrupted(
                      microphone,
                      [type unsignedIntegerValue] == AVAudioSessionInterruptionTypeBegan);
                }] retain];
    microphone->observers[1] = [[center
        addObserverForName:AVAudioEngineConfigurationChangeNotification
                    object:microphone->engine
                     queue:nil
                usingBlock:^(NSNotification *notification) {
                  (void)notification;
                  was_reconfigured(microphone);
                }] retain];
    microphone->observers[2] = [[center
        addObserverForName:AVAudioSessionMediaServicesWereResetNotification
                    object:nil
                     queue:nil
                usingBlock:^(NSNotification *notification) {
                  (void)notification;
                  was_reset(microphone);
                }] retain];
}

static EdgeMicrophone *of(edge_microphone *handle) { return (EdgeMicrophone *)(void *)handle; }

int32_t edge_microphone_open(edge_microphone **opened) {
    *opened = NULL;
    int32_t code = activate();
    if (code != EDGE_OK) return code;
    EdgeMicrophone *microphone = [[EdgeMicrophone alloc] init];
    AVAudioFormat *format = [[microphone->engine inputNode] outputFormatForBus:0];
    microphone->sample_rate = [format sampleRate];
    if (microphone->sample_rate <= 0.0 || [format channelCount] == 0) code = EDGE_MISSING;
    else if ([format commonFormat] != AVAudioPCMFormatFloat32) code = EDGE_UNSUPPORTED;
    else {
        microphone->ring = edge_ring_new((int32_t)(RING_SECONDS * microphone->sample_rate));
        if (microphone->ring == NULL) code = EDGE_FAILED;
    }
    if (code != EDGE_OK) {
        [microphone release];
        return code;
    }
    observe(microphone);
    *opened = (edge_microphone *)(void *)microphone;
    return EDGE_OK;
}

double edge_microphone_sample_rate(edge_microphone *handle) { return of(handle)->sample_rate; }

int32_t edge_microphone_start(edge_microphone *handle) {
    EdgeMicrophone *microphone = of(handle);
    pthread_mutex_lock(&microphone->mutex);
    int32_t code = start_engine(microphone);
    if (code == EDGE_OK) {
        microphone->wanted = 1;
        microphone->state = EDGE_RUNNING;
    }
    pthread_mutex_unlock(&microphone->mutex);
    return code;
}

void edge_microphone_pause(edge_microphone *handle) {
    EdgeMicrophone *microphone = of(handle);
    pthread_mutex_lock(&microphone->mutex);
    microphone->wanted = 0;
    stop_engine(microphone);
    pthread_mutex_unlock(&microphone->mutex);
    edge_ring_wake(microphone->ring);
}

int32_t edge_microphone_read(
    edge_microphone *handle, int16_t *samples, int32_t count, int32_t wait_ms) {
    return edge_ring_take(of(handle)->ring, samples, count, wait_ms);
}

int32_t edge_microphone_state(edge_microphone *handle) {
    EdgeMicrophone *microphone = of(handle);
    pthread_mutex_lock(&microphone->mutex);
    int32_t state = microphone->state;
    pthread_mutex_unlock(&microphone->mutex);
    return state;
}

int32_t edge_microphone_overruns(edge_microphone *handle) {
    return edge_ring_overruns(of(handle)->ring);
}

float edge_microphone_level(edge_microphone *handle) { return edge_ring_level(of(handle)->ring); }

int32_t edge_microphone_route(edge_microphone *handle, char *name, int32_t size) {
    (void)handle;
    if (size <= 0) return 0;
    name[0] = '\0';
    NSArray *inputs = [[[AVAudioSession sharedInstance] currentRoute] inputs];
    if ([inputs count] == 0) return 0;
    const char *text = [[[inputs objectAtIndex:0] portName] UTF8String];
    if (text == NULL) return 0;
    strncpy(name, text, (size_t)size - 1);
    name[size - 1] = '\0';
    return (int32_t)strlen(name);
}

void edge_microphone_close(edge_microphone *handle) {
    EdgeMicrophone *microphone = of(handle);
    NSNotificationCenter *center = [NSNotificationCenter defaultCenter];
    for (int i = 0; i < 3; i++) {
        [center removeObserver:microphone->observers[i]];
        [microphone->observers[i] release];
    }
    edge_microphone_pause(handle);
    /* Others may play on; iOS refuses while something still sounds, which does no harm. */
    [[AVAudioSession sharedInstance] setActive:NO error:NULL];
    [microphone release];
}
