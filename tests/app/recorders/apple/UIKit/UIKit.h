#ifndef STANDIN_UIKIT_H
#define STANDIN_UIKIT_H

#include "../Foundation.h"

extern NSString *UIApplicationOpenSettingsURLString;

@interface UIApplication : NSObject
+ (UIApplication *)sharedApplication;
- (void)openURL:(NSURL *)url
              options:(NSDictionary *)options
    completionHandler:(void (^)(BOOL success))completion;
@end

#endif
