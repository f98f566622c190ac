"""The page of this app in the settings of iOS."""

from __future__ import annotations

from app.recorders.ios.objective_c import LOCK, classes, constant


def open_app_settings() -> bool:
    """Shows it; whether iOS did. To be called in the main thread.

    The selector without a block, for pyobjus: from iOS 18 on it refuses, and the person has to find
    the settings. The shim has the newer one.
    """
    from pyobjus import objc_str

    with LOCK:
        url_class, application_class = classes("NSURL", "UIApplication")
        url = url_class.URLWithString_(objc_str(constant("UIApplicationOpenSettingsURLString")))
        return bool(application_class.sharedApplication().openURL_(url))
