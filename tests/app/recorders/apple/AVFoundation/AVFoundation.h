#ifndef STANDIN_AVFOUNDATION_H
#define STANDIN_AVFOUNDATION_H

#include "../Foundation.h"

typedef uint32_t AVAudioFrameCount;
typedef uint32_t AVAudioChannelCount;
typedef NSUInteger AVAudioNodeBus;

typedef enum {
    AVAudioSessionRecordPermissionUndetermined = 1970168948,
    AVAudioSessionRecordPermissionDenied = 1684369017,
    AVAudioSessionRecordPermissionGranted = 1735552628
} AVAudioSessionRecordPermission;

typedef enum {
    AVAudioSessionInterruptionTypeEnded = 0,
    AVAudioSessionInterruptionTypeBegan = 1
} AVAudioSessionInterruptionType;

typedef enum { AVAudioPCMFormatFloat32 = 1, AVAudioPCMFormatInt16 = 3 } AVAudioCommonFormat;

extern NSString *AVAudioSessionCategoryRecord;
extern NSString *AVAudioSessionModeMeasurement;
extern NSString *AVAudioSessionInterruptionNotification;
extern NSString *AVAudioSessionInterruptionTypeKey;
extern NSString *AVAudioSessionMediaServicesWereResetNotification;
extern NSString *AVAudioEngineConfigurationChangeNotification;

@interface AVAudioSessionPortDescription : NSObject
- (NSString *)portName;
@end

@interface AVAudioSessionRouteDescription : NSObject
- (NSArray *)inputs;
@end

@interface AVAudioSession : NSObject
+ (AVAudioSession *)sharedInstance;
- (AVAudioSessionRecordPermission)recordPermission;
- (void)requestRecordPermission:(void (^)(BOOL granted))response;
- (BOOL)setCategory:(NSString *)category
               mode:(NSString *)mode
            options:(NSUInteger)options
              error:(NSError **)outError;
- (BOOL)setActive:(BOOL)active error:(NSError **)outError;
- (BOOL)isInputAvailable;
- (AVAudioSessionRouteDescription *)currentRoute;
@end

@interface AVAudioFormat : NSObject
- (double)sampleRate;
- (AVAudioChannelCount)channelCount;
- (AVAudioCommonFormat)commonFormat;
@end

@interface AVAudioTime : NSObject
@end

@interface AVAudioPCMBuffer : NSObject {
   @public
    float *channel;
    AVAudioFrameCount length;
    NSUInteger step;
}
- (float *const *)floatChannelData;
- (AVAudioFrameCount)frameLength;
- (NSUInteger)stride;
@end

typedef void (^AVAudioNodeTapBlock)(AVAudioPCMBuffer *buffer, AVAudioTime *when);

@interface AVAudioInputNode : NSObject
- (AVAudioFormat *)outputFormatForBus:(AVAudioNodeBus)bus;
- (void)installTapOnBus:(AVAudioNodeBus)bus
             bufferSize:(AVAudioFrameCount)bufferSize
                 format:(AVAudioFormat *)format
                  block:(AVAudioNodeTapBlock)tapBlock;
- (void)removeTapOnBus:(AVAudioNodeBus)bus;
@end

@interface AVAudioEngine : NSObject {
    AVAudioInputNode *node;
}
- (AVAudioInputNode *)inputNode;
- (void)prepare;
- (BOOL)startAndReturnError:(NSError **)outError;
- (void)stop;
@end

#endif
