"""The C functions of `app/ios/edge_microphone.h`, if this build of the app has them."""

from __future__ import annotations

import ctypes
from typing import Any

_Handle = ctypes.c_void_p

FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "edge_microphone_permission": (ctypes.c_int32, []),
    "edge_microphone_ask_permission": (None, []),
    "edge_microphone_open_settings": (ctypes.c_int32, []),
    "edge_microphone_open": (ctypes.c_int32, [ctypes.POINTER(_Handle)]),
    "edge_microphone_sample_rate": (ctypes.c_double, [_Handle]),
    "edge_microphone_start": (ctypes.c_int32, [_Handle]),
    "edge_microphone_pause": (None, [_Handle]),
    "edge_microphone_read": (
        ctypes.c_int32,
        [_Handle, ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32],
    ),
    "edge_microphone_state": (ctypes.c_int32, [_Handle]),
    "edge_microphone_overruns": (ctypes.c_int32, [_Handle]),
    "edge_microphone_level": (ctypes.c_float, [_Handle]),
    "edge_microphone_route": (ctypes.c_int32, [_Handle, ctypes.c_char_p, ctypes.c_int32]),
    "edge_microphone_close": (None, [_Handle]),
}
"""Each function's result and parameters."""


def declare(library: Any) -> Any:
    """The library, with its functions' types; raises AttributeError if it lacks one."""
    for name, (result, parameters) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = parameters
    return library


def shim_library() -> Any:
    """The shim, which is linked into the app itself; None if it is not."""
    try:
        return declare(ctypes.CDLL(None))
    except (OSError, AttributeError):
        return None
