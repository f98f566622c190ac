"""Memory that Java writes and numpy reads, without a copy between them.

`AudioRecord.read(ByteBuffer, int)` fills a direct buffer, and JNI tells where that buffer lies. The
buffer goes from pyjnius to JNI through the system properties, since pyjnius gives no handle of a
Java object to others. Everything else is of the JNI specification: the places of the functions in
its two tables never change.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PROPERTY = "app.recorders.direct_buffer"
_VERSION_1_6 = 0x00010006
# Places in JNIInvokeInterface and JNINativeInterface, counted in pointers.
_GET_ENV = 6
_FIND_CLASS = 6
_EXCEPTION_CLEAR = 17
_DELETE_LOCAL_REF = 23
_GET_METHOD_ID = 33
_CALL_OBJECT_METHOD_A = 36
_GET_STATIC_METHOD_ID = 113
_CALL_STATIC_OBJECT_METHOD_A = 116
_NEW_STRING_UTF = 167
_EXCEPTION_CHECK = 228
_GET_DIRECT_BUFFER_ADDRESS = 230

_Pointer = ctypes.c_void_p


class NoDirectBuffer(Exception):  # noqa: N818 - not an error: sound is then copied
    """The memory of a direct buffer cannot be found here."""


class DirectBuffer:
    """A direct java.nio.ByteBuffer, and the same memory as an array.

    size: bytes, even.
    java: the ByteBuffer, for pyjnius.
    samples: (size / 2,) int16, which Java overwrites at each read. The memory lives as long as
        `java` does.

    Raises NoDirectBuffer.
    """

    def __init__(self, size: int) -> None:
        from jnius import JavaException, autoclass

        try:
            self.java = autoclass("java.nio.ByteBuffer").allocateDirect(size)
            address = _address(self.java)
            memory = (ctypes.c_byte * size).from_address(address)
            self.samples: NDArray[np.int16] = np.frombuffer(memory, np.int16)
            self._check()
        except JavaException as error:
            raise NoDirectBuffer(str(error)) from error

    def _check(self) -> None:
        """Java's bytes must appear in the array, at both ends."""
        last = self.samples.nbytes - 1
        for first, second in ((1, 2), (0, 0)):
            self.java.put(0, first)
            self.java.put(last, second)
            seen = self.samples.view(np.uint8)
            if (seen[0], seen[last]) != (first, second):
                raise NoDirectBuffer("the array is not the memory of the buffer")


def _address(buffer: Any) -> int:
    """Where a direct buffer lies."""
    from jnius import autoclass

    properties = autoclass("java.lang.System").getProperties()
    properties.put(_PROPERTY, buffer)  # also attaches this thread to the virtual machine
    try:
        return _address_of_property(_Table(_environment()))
    finally:
        properties.remove(_PROPERTY)


def _address_of_property(jni: _Table) -> int:
    system = jni.call(_FIND_CLASS, _Pointer, b"java/lang/System")
    get_properties = jni.call(
        _GET_STATIC_METHOD_ID, _Pointer, system, b"getProperties", b"()Ljava/util/Properties;"
    )
    properties = jni.call(_CALL_STATIC_OBJECT_METHOD_A, _Pointer, system, get_properties, None)
    properties_class = jni.call(_FIND_CLASS, _Pointer, b"java/util/Properties")
    signature = b"(Ljava/lang/Object;)Ljava/lang/Object;"
    get = jni.call(_GET_METHOD_ID, _Pointer, properties_class, b"get", signature)
    key = jni.call(_NEW_STRING_UTF, _Pointer, _PROPERTY.encode())
    arguments = (ctypes.c_uint64 * 1)(key)  # jvalue[1], each of 8 bytes
    buffer = jni.call(_CALL_OBJECT_METHOD_A, _Pointer, properties, get, ctypes.byref(arguments))
    address = jni.call(_GET_DIRECT_BUFFER_ADDRESS, _Pointer, buffer)
    for reference in (system, properties, properties_class, key, buffer):
        jni.call(_DELETE_LOCAL_REF, None, reference)
    return int(address)


class _Table:
    """A JNI interface: a pointer to a pointer to a table of functions, which take it first."""

    def __init__(self, interface: int) -> None:
        self._interface = interface
        self._functions = ctypes.cast(interface, ctypes.POINTER(ctypes.POINTER(_Pointer)))[0]

    def call(self, place: int, result: Any, *arguments: Any) -> Any:
        """The result of a function of pointers.

        Raises NoDirectBuffer if it is NULL, or Java threw.
        """
        value = self.function(place, result, *[_Pointer] * len(arguments))(*arguments)
        if result is None:
            return None
        if self.function(_EXCEPTION_CHECK, ctypes.c_ubyte)():
            self.function(_EXCEPTION_CLEAR, None)()
            raise NoDirectBuffer(f"Java threw in JNI function {place}")
        if not value:
            raise NoDirectBuffer(f"JNI function {place} gave nothing")
        return value

    def function(self, place: int, result: Any, *arguments: Any) -> Any:
        """The function at a place, bound to the interface."""
        prototype = ctypes.CFUNCTYPE(result, _Pointer, *arguments)
        return functools.partial(prototype(self._functions[place]), self._interface)


def _environment() -> int:
    """The JNIEnv of this thread."""
    import jnius

    if hasattr(jnius, "get_jni_java_vm"):  # not in every release
        machine = _Table(jnius.get_jni_java_vm()[1])
        found = _Pointer()
        get_env = machine.function(_GET_ENV, ctypes.c_int, _Pointer, ctypes.c_int)
        if get_env(ctypes.byref(found), _VERSION_1_6) == 0 and found.value:
            return found.value
        raise NoDirectBuffer("this thread is not attached to the virtual machine")
    for library, name in (
        ("libSDL3.so", "SDL_GetAndroidJNIEnv"),
        ("libSDL2.so", "SDL_AndroidGetJNIEnv"),
    ):
        try:
            getter = getattr(ctypes.CDLL(library), name)
        except (OSError, AttributeError):
            continue
        getter.restype = _Pointer
        environment = getter()
        if environment:
            return int(environment)
    raise NoDirectBuffer("neither pyjnius nor SDL tells the JNIEnv")
