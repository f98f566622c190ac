/* An iPhone to run edge_microphone.m on: what a test sets, the classes of Apple's names tell.
 * Misuse by which iOS would throw an exception is counted, and fails the test. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#import "AVFoundation/AVFoundation.h"
#import "UIKit/UIKit.h"

void *_Block_copy(const void *block);
void _Block_release(const void *block);
#define Block_copy(block) ((__typeof__(block))_Block_copy(block))
#define Block_release(block) _Block_release(block)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int living;

/* What a test sets. */
static AVAudioSessionRecordPermission permission;
static int in_call, has_input;
static double sample_rate;
static unsigned channels;
static AVAudioCommonFormat common_format;

/* What a test asks for. */
static int active, running, asked;
static int opened_settings;

static int misuses;

#define EXPECT(condition)                                             \
    if (!(condition)) {                                               \
        fprintf(stderr, "iOS would throw: not %s\n", #condition);     \
        misuses++;                                                    \
    }

@implementation NSObject
+ (id)alloc {
    NSObject *made = class_createInstance(self, 0);
    made->references = 1;
    __atomic_add_fetch(&living, 1, __ATOMIC_SEQ_CST);
    return made;
}
- (id)init {
    return self;
}
- (id)retain {
    __atomic_add_fetch(&references, 1, __ATOMIC_SEQ_CST);
    return self;
}
- (void)release {
    int left = __atomic_sub_fetch(&references, 1, __ATOMIC_SEQ_CST);
    EXPECT(left >= 0);
    if (left == 0) [self dealloc];
}
- (void)dealloc {
    __atomic_sub_fetch(&living, 1, __ATOMIC_SEQ_CST);
    object_dispose(self);
}
@end

/* Of blocks.c. */
void standin_retain(void *object) { [(id)object retain]; }
void standin_release(void *object) { [(id)object release]; }

@implementation NSString
- (const char *)UTF8String {
    return text;
}
@end

static NSString *string(const char *text) {
    NSString *made = [[NSString alloc] init];
    made->text = text;
    return made;
}

@implementation NSNumber
- (NSUInteger)unsignedIntegerValue {
    return value;
}
@end

@implementation NSArray
- (NSUInteger)count {
    return only == nil ? 0 : 1;
}
- (id)objectAtIndex:(NSUInteger)index {
    EXPECT(index < [self count]);
    return only;
}
@end

@implementation NSDictionary
+ (id)dictionary {
    static NSDictionary *empty;
    if (empty == nil) empty = [[self alloc] init];
    return empty;
}
- (id)objectForKey:(id)wanted {
    return wanted == key ? value : nil;
}
@end

@implementation NSURL
+ (id)URLWithString:(NSString *)URLString {
    static NSURL *url;
    if (url == nil) url = [[self alloc] init];
    url->string = URLString;
    return url;
}
@end

@implementation NSOperationQueue
+ (NSOperationQueue *)mainQueue {
    static NSOperationQueue *queue;
    if (queue == nil) queue = [[self alloc] init];
    return queue;
}
- (void)addOperationWithBlock:(void (^)(void))block {
    block();
}
@end

@implementation NSNotification
- (NSDictionary *)userInfo {
    return info;
}
@end

@interface Observer : NSObject {
   @public
    NSString *name;
    id object;
    void (^block)(NSNotification *);
}
@end
@implementation Observer
- (void)dealloc {
    Block_release(block);
    [super dealloc];
}
@end

#define MOST 16
static Observer *observers[MOST];

@implementation NSNotificationCenter
+ (NSNotificationCenter *)defaultCenter {
    static NSNotificationCenter *center;
    if (center == nil) center = [[self alloc] init];
    return center;
}
- (id)addObserverForName:(NSString *)name
                  object:(id)object
                   queue:(NSOperationQueue *)queue
              usingBlock:(void (^)(NSNotification *))block {
    EXPECT(name != nil && queue == nil);
    Observer *observer = [[Observer alloc] init];
    observer->name = name;
    observer->object = object;
    observer->block = Block_copy(block);
    for (int i = 0; i < MOST; i++) {
        if (observers[i] == nil) {
            observers[i] = observer;
            return observer;
        }
    }
    abort();
}
- (void)removeObserver:(id)observer {
    for (int i = 0; i < MOST; i++) {
        if (observer != nil && observers[i] == observer) {
            observers[i] = nil;
            [observer release];
        }
    }
}
@end

static void post(NSString *name, id object, NSDictionary *info) {
    NSNotification *notification = [[NSNotification alloc] init];
    notification->info = info;
    for (int i = 0; i < MOST; i++) {
        Observer *observer = observers[i];
        if (observer == nil || observer->name != name) continue;
        if (observer->object != nil && observer->object != object) continue;
        [observer retain];
        observer->block(notification);
        [observer release];
    }
    [notification release];
}

NSString *AVAudioSessionCategoryRecord, *AVAudioSessionModeMeasurement;
NSString *AVAudioSessionInterruptionNotification, *AVAudioSessionInterruptionTypeKey;
NSString *AVAudioSessionMediaServicesWereResetNotification;
NSString *AVAudioEngineConfigurationChangeNotification, *UIApplicationOpenSettingsURLString;

static NSArray *inputs;
static AVAudioSessionPortDescription *port;

@implementation AVAudioSessionPortDescription
- (NSString *)portName {
    static NSString *name;
    if (name == nil) name = string("iPhone Microphone");
    return name;
}
@end

@implementation AVAudioSessionRouteDescription
- (NSArray *)inputs {
    inputs->only = has_input ? port : nil;
    return inputs;
}
@end

static void (^answer)(BOOL);

@implementation AVAudioSession
+ (AVAudioSession *)sharedInstance {
    static AVAudioSession *session;
    if (session == nil) session = [[self alloc] init];
    return session;
}
- (AVAudioSessionRecordPermission)recordPermission {
    return permission;
}
- (void)requestRecordPermission:(void (^)(BOOL))response {
    asked++;
    answer = Block_copy(response);
}
- (BOOL)setCategory:(NSString *)category
               mode:(NSString *)mode
            options:(NSUInteger)options
              error:(NSError **)outError {
    (void)outError;
    EXPECT(category == AVAudioSessionCategoryRecord && mode == AVAudioSessionModeMeasurement);
    EXPECT(options == 0);
    return YES;
}
- (BOOL)setActive:(BOOL)wanted error:(NSError **)outError {
    (void)outError;
    if (wanted && in_call) return NO;
    active = wanted;
    return YES;
}
- (BOOL)isInputAvailable {
    return has_input != 0;
}
- (AVAudioSessionRouteDescription *)currentRoute {
    static AVAudioSessionRouteDescription *route;
    if (route == nil) route = [[AVAudioSessionRouteDescription alloc] init];
    return route;
}
@end

@implementation AVAudioFormat
- (double)sampleRate {
    return sample_rate;
}
- (AVAudioChannelCount)channelCount {
    return channels;
}
- (AVAudioCommonFormat)commonFormat {
    return common_format;
}
@end

@implementation AVAudioTime
@end

@implementation AVAudioPCMBuffer
- (float *const *)floatChannelData {
    return &channel;
}
- (AVAudioFrameCount)frameLength {
    return length;
}
- (NSUInteger)stride {
    return step;
}
@end

static AVAudioFormat *hardware_format;
static AVAudioNodeTapBlock tap;
static AVAudioEngine *engine_with_tap;

@implementation AVAudioInputNode
- (AVAudioFormat *)outputFormatForBus:(AVAudioNodeBus)bus {
    EXPECT(bus == 0);
    return hardware_format;
}
- (void)installTapOnBus:(AVAudioNodeBus)bus
             bufferSize:(AVAudioFrameCount)bufferSize
                 format:(AVAudioFormat *)format
                  block:(AVAudioNodeTapBlock)tapBlock {
    EXPECT(bus == 0 && bufferSize > 0 && format == hardware_format);
    EXPECT(tap == nil && channels > 0);
    pthread_mutex_lock(&lock);
    tap = Block_copy(tapBlock);
    pthread_mutex_unlock(&lock);
}
- (void)removeTapOnBus:(AVAudioNodeBus)bus {
    EXPECT(bus == 0);
    pthread_mutex_lock(&lock);
    AVAudioNodeTapBlock old = tap;
    tap = nil;
    pthread_mutex_unlock(&lock);
    if (old != nil) Block_release(old);
}
@end

@implementation AVAudioEngine
- (AVAudioInputNode *)inputNode {
    if (node == nil) node = [[AVAudioInputNode alloc] init];
    return node;
}
- (void)prepare {
    EXPECT(node != nil);
}
- (BOOL)startAndReturnError:(NSError **)outError {
    (void)outError;
    if (in_call) return NO;
    EXPECT(active && permission == AVAudioSessionRecordPermissionGranted);
    running = 1;
    engine_with_tap = self;
    return YES;
}
- (void)stop {
    running = 0;
}
- (void)dealloc {
    EXPECT(tap == NULL || engine_with_tap != self);
    [node release];
    [super dealloc];
}
@end

@implementation UIApplication
+ (UIApplication *)sharedApplication {
    static UIApplication *application;
    if (application == nil) application = [[self alloc] init];
    return application;
}
- (void)openURL:(NSURL *)url
              options:(NSDictionary *)options
    completionHandler:(void (^)(BOOL))completion {
    EXPECT(url->string == UIApplicationOpenSettingsURLString && options != nil);
    EXPECT(completion == nil);
    opened_settings++;
}
@end

void standin_reset(void) {
    if (hardware_format == nil) {
        hardware_format = [[AVAudioFormat alloc] init];
        inputs = [[NSArray alloc] init];
        port = [[AVAudioSessionPortDescription alloc] init];
        AVAudioSessionCategoryRecord = string("AVAudioSessionCategoryRecord");
        AVAudioSessionModeMeasurement = string("AVAudioSessionModeMeasurement");
        AVAudioSessionInterruptionNotification = string("interruption");
        AVAudioSessionInterruptionTypeKey = string("type");
        AVAudioSessionMediaServicesWereResetNotification = string("reset");
        AVAudioEngineConfigurationChangeNotification = string("configuration");
        UIApplicationOpenSettingsURLString = string("app-settings:");
    }
    permission = AVAudioSessionRecordPermissionGranted;
    in_call = asked = opened_settings = misuses = 0;
    has_input = 1;
    sample_rate = 48000.0;
    channels = 1;
    common_format = AVAudioPCMFormatFloat32;
}

void standin_set_permission(const char *word) {
    permission = strcmp(word, "granted") == 0  ? AVAudioSessionRecordPermissionGranted
                 : strcmp(word, "denied") == 0 ? AVAudioSessionRecordPermissionDenied
                                               : AVAudioSessionRecordPermissionUndetermined;
}

void standin_set_hardware(int input, double rate, int channel_count, int float_samples) {
    has_input = input;
    sample_rate = rate;
    channels = (unsigned)channel_count;
    common_format = float_samples ? AVAudioPCMFormatFloat32 : AVAudioPCMFormatInt16;
}

/* The microphone hears so many samples, that lie `stride` floats apart; whether it listened. */
int standin_hear(float *samples, int count, int stride) {
    pthread_mutex_lock(&lock);
    AVAudioNodeTapBlock block = running && tap != nil ? Block_copy(tap) : NULL;
    pthread_mutex_unlock(&lock);
    if (block == NULL) return 0;
    AVAudioPCMBuffer *buffer = [[AVAudioPCMBuffer alloc] init];
    buffer->channel = samples;
    buffer->length = (AVAudioFrameCount)count;
    buffer->step = (NSUInteger)stride;
    block(buffer, nil);
    [buffer release];
    Block_release(block);
    return 1;
}

/* A call begins or ends. */
void standin_call(int begins) {
    in_call = begins;
    if (begins) active = running = 0;
    NSNumber *type = [[NSNumber alloc] init];
    type->value = begins ? AVAudioSessionInterruptionTypeBegan : AVAudioSessionInterruptionTypeEnded;
    NSDictionary *info = [[NSDictionary alloc] init];
    info->key = AVAudioSessionInterruptionTypeKey;
    info->value = type;
    post(AVAudioSessionInterruptionNotification, nil, info);
    [info release];
    [type release];
}

/* A call of which nothing is told: only starting fails. */
void standin_set_call(int in_it) { in_call = in_it; }

/* Another device is connected; iOS stops the engine. */
void standin_change_route(double rate) {
    sample_rate = rate;
    running = 0;
    post(AVAudioEngineConfigurationChangeNotification, engine_with_tap, nil);
}

void standin_restart_media(void) {
    running = 0;
    post(AVAudioSessionMediaServicesWereResetNotification, nil, nil);
}

void standin_answer(int granted) {
    EXPECT(asked > 0 && answer != nil);
    permission =
        granted ? AVAudioSessionRecordPermissionGranted : AVAudioSessionRecordPermissionDenied;
    answer(granted != 0);
    Block_release(answer);
    answer = nil;
}

int standin_asked(void) { return asked; }
int standin_active(void) { return active; }
int standin_opened_settings(void) { return opened_settings; }
int standin_misuses(void) { return misuses; }
int standin_living(void) { return living; }
