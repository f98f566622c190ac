"""What the recorder says to Objective-C by pyobjus.

pyobjus binds the methods of a class to the instance that it met last, so all calls stand under
LOCK, and no object is called after another one of its class was met.
"""

from __future__ import annotations

import threading
from typing import Any

LOCK = threading.RLock()

_FRAMEWORK = "/System/Library/Frameworks/AVFoundation.framework"


def classes(*names: str) -> list[Any]:
    """Classes of AVFoundation and below, by their names."""
    from pyobjus import autoclass
    from pyobjus.dylib_manager import load_framework

    load_framework(_FRAMEWORK)
    return [autoclass(name) for name in names]


def constant(name: str) -> str:
    """The text of an NSString that a framework exports; the name itself if it is not found."""
    from pyobjus import symbol

    found = symbol(name, "NSString")
    return name if found is None else text(found)


def text(string: Any) -> str:
    """The text of an NSString."""
    content = string.UTF8String()
    return content.decode("utf-8") if isinstance(content, bytes) else str(content)


def get(instance: Any, name: str) -> Any:
    """A property, or what a method without arguments returns: pyobjus takes one for the other,
    depending on how the class was declared in the release of iOS."""
    from pyobjus import ObjcMethod

    value = getattr(instance, name)
    return value() if isinstance(value, ObjcMethod) else value
