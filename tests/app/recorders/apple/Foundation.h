/* The part of Apple's frameworks that edge_microphone.m uses, declared as Apple declares it (tests
 * compare each selector with published types), for the runtime of GCC on Linux. */

#ifndef STANDIN_FOUNDATION_H
#define STANDIN_FOUNDATION_H

#include <objc/objc.h>
#include <objc/runtime.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned long NSUInteger;
typedef long NSInteger;

__attribute__((objc_root_class))
@interface NSObject {
    Class isa;
    int references;
}
+ (id)alloc;
- (id)init;
- (id)retain;
- (void)release;
- (void)dealloc;
@end

@class NSError;

@interface NSString : NSObject {
   @public
    const char *text;
}
- (const char *)UTF8String;
@end

@interface NSNumber : NSObject {
   @public
    NSUInteger value;
}
- (NSUInteger)unsignedIntegerValue;
@end

@interface NSArray : NSObject {
   @public
    id only;
}
- (NSUInteger)count;
- (id)objectAtIndex:(NSUInteger)index;
@end

@interface NSDictionary : NSObject {
   @public
    id key;
    id value;
}
+ (id)dictionary;
- (id)objectForKey:(id)key;
@end

@interface NSURL : NSObject {
   @public
    NSString *string;
}
+ (id)URLWithString:(NSString *)URLString;
@end

@interface NSOperationQueue : NSObject
+ (NSOperationQueue *)mainQueue;
- (void)addOperationWithBlock:(void (^)(void))block;
@end

@interface NSNotification : NSObject {
   @public
    NSDictionary *info;
}
- (NSDictionary *)userInfo;
@end

@interface NSNotificationCenter : NSObject
+ (NSNotificationCenter *)defaultCenter;
- (id)addObserverForName:(NSString *)name
                  object:(id)object
                   queue:(NSOperationQueue *)queue
              usingBlock:(void (^)(NSNotification *notification))block;
- (void)removeObserver:(id)observer;
@end

#endif
