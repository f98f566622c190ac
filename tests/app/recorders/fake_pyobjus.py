"""Stands in for pyobjus on an iPhone: strict about selectors, arguments and instances.

What it is strict about are pyobjus 1.2.4's own rules:
- a method's name is its selector with each colon as an underscore, and takes as many arguments;
- a declared property is read as an attribute, and set by its setter;
- NULL may stand for an object, and is all that can be passed for an NSError **;
- blocks cannot be passed at all;
- the methods of a class are bound to the instance that was met last, so an older one is not to be
  called any more.
"""

# ruff: noqa: N802, N815, N818, RUF012 - the names are Objective-C's, and nobody changes the tables

from __future__ import annotations

import os
import struct
from types import ModuleType

import numpy as np

from app.recorders.ios.objective_c import LOCK

PERMISSIONS = {"undetermined": b"undt", "denied": b"deny", "granted": b"grnt"}


class ObjcException(Exception):
    pass


class ObjcMethod:
    """A selector of a class, bound to an instance or to the class itself."""

    def __init__(self, owner, name: str, encoding: str) -> None:
        self._owner, self._name, self._encoding = owner, name, encoding

    def __call__(self, *args):
        assert LOCK._is_owned(), f"{self._name} without the lock"
        kind = type(self._owner) if isinstance(self._owner, ObjcInstance) else self._owner
        if isinstance(self._owner, ObjcInstance):
            assert kind.latest is self._owner, f"{kind.__name__}: a newer instance would be called"
        types = self._encoding.split()
        assert len(args) == len(types), f"{kind.__name__} {self._name}: {len(args)} arguments"
        for arg, encoding in zip(args, types):
            assert _fits(arg, encoding), f"{kind.__name__} {self._name}: {arg!r} is no {encoding}"
        return getattr(self._owner, f"objc_{self._name}")(*args)


def _fits(arg, encoding: str) -> bool:
    if encoding == "@":
        return arg is None or isinstance(arg, ObjcInstance)
    if encoding == "^@":
        return arg is None
    if encoding == "B":
        return isinstance(arg, bool)
    if encoding in ("i", "Q", "q"):
        return type(arg) is int and (encoding != "i" or -(2**31) <= arg < 2**31)
    if encoding == "d":
        return isinstance(arg, float)
    if encoding == "*":
        return isinstance(arg, str)
    raise AssertionError(encoding)  # such as @?, a block


class ObjcMeta(type):
    def __getattr__(cls, name: str):
        encodings = cls.__dict__.get("CLASS_METHODS", {})
        if name not in encodings:
            raise AttributeError(f"{cls.__name__} has no class method {name}")
        return ObjcMethod(cls, name, encodings[name])


class ObjcInstance(metaclass=ObjcMeta):
    """CLASS_METHODS, METHODS: the types of the arguments by the name that pyobjus gives a selector.
    PROPERTIES: readable ones."""

    CLASS_METHODS: dict[str, str] = {}
    METHODS: dict[str, str] = {}
    PROPERTIES: tuple[str, ...] = ()
    latest: ObjcInstance

    def __init__(self, phone: Iphone) -> None:
        object.__setattr__(self, "phone", phone)
        type(self).latest = self

    def __getattribute__(self, name: str):
        if name.startswith(("objc_", "_")) or name in ("phone", "value"):
            return object.__getattribute__(self, name)
        kind = type(self)
        if name in kind.PROPERTIES:
            assert LOCK._is_owned(), f"{name} without the lock"
            assert kind.latest is self, f"{kind.__name__}: a newer instance would be asked"
            return object.__getattribute__(self, f"objc_{name}")()
        if name in kind.METHODS:
            return ObjcMethod(self, name, kind.METHODS[name])
        raise AttributeError(f"{kind.__name__} has no method {name}")

    @classmethod
    def of(cls, phone, value):
        made = cls(phone)
        object.__setattr__(made, "value", value)
        return made


class Iphone:
    """What the classes pretend to run on; `modules` are pyobjus's for sys.modules."""

    def __init__(self, folder) -> None:
        self.permission = "granted"
        self.in_call = False
        self.has_microphone = True
        self.rates = {16000.0, 44100.0, 48000.0}
        self.route = "iPhone Microphone"
        self.power = -20.0
        self.settings_open = True
        self.log: list[str] = []
        self.recording: AVAudioRecorder | None = None
        self.active = False
        self.asking = False
        self.extra_chunk_after_data = True
        self.takes_resource_values = True
        self.resource_values: dict[tuple[str, str], object] = {}
        self.folder = folder
        self.classes = {
            cls.__name__: _bound(cls, self)
            for cls in (
                AVAudioSession,
                AVAudioRecorder,
                AVAudioSessionRouteDescription,
                AVAudioSessionPortDescription,
                NSArray,
                NSDictionary,
                NSNumber,
                NSString,
                NSURL,
                UIApplication,
            )
        }
        number, string = self.classes["NSNumber"], self.classes["NSString"]
        pyobjus = ModuleType("pyobjus")
        pyobjus.ObjcMethod = ObjcMethod
        pyobjus.ObjcException = ObjcException
        pyobjus.autoclass = self._autoclass
        pyobjus.symbol = lambda name, kind: self.classes[kind].of(
            self, self.symbols.get(name, name)
        )
        pyobjus.objc_str = lambda text: string.stringWithUTF8String_(text)
        pyobjus.objc_i = lambda value: number.numberWithInt_(value)
        pyobjus.objc_d = lambda value: number.numberWithDouble_(value)
        pyobjus.objc_b = lambda value: number.numberWithBool_(value)
        pyobjus.objc_dict = lambda values: self.classes["NSDictionary"].of(self, _settings(values))
        manager = ModuleType("pyobjus.dylib_manager")
        manager.load_framework = self._load
        self.modules = {"pyobjus": pyobjus, "pyobjus.dylib_manager": manager}
        self.symbols: dict[str, str] = {}
        self.loaded = False

    def _symbol(self, name, kind):
        return self.classes[kind].of(self, self.symbols.get(name, name))

    def _autoclass(self, name):
        assert self.loaded or name.startswith("NS"), "load the framework first"
        return self.classes[name]

    def _load(self, path) -> None:
        assert path == "/System/Library/Frameworks/AVFoundation.framework"
        self.loaded = True

    def hear(self, samples: np.ndarray) -> None:
        """The microphone hears so many samples, and iOS writes them if it records."""
        if self.recording is not None:
            self.recording.objc_write(samples)

    def call(self, begins: bool) -> None:
        """A call begins, and stops the recording; or it ends."""
        self.in_call = begins
        if begins and self.recording is not None:
            self.recording = None
            self.active = False

    def answer(self, granted: bool) -> None:
        """What the person says to the question."""
        assert self.asking
        self.asking = False
        self.permission = "granted" if granted else "denied"


def _bound(cls, phone: Iphone):
    """The class for one phone, so that nothing is left of another test's."""
    return ObjcMeta(cls.__name__, (cls,), {**cls.__dict__, "bound": phone})


def _settings(values) -> dict:
    for key, value in values.items():
        assert isinstance(key, str) and isinstance(value, ObjcInstance)
    return {key: value.value for key, value in values.items()}


class NSString(ObjcInstance):
    CLASS_METHODS = {"stringWithUTF8String_": "*"}
    METHODS = {"UTF8String": ""}

    @classmethod
    def objc_stringWithUTF8String_(cls, text):
        return cls.of(cls.bound, text)

    def objc_UTF8String(self):
        return self.value.encode()


class NSNumber(ObjcInstance):
    CLASS_METHODS = {"numberWithInt_": "i", "numberWithDouble_": "d", "numberWithBool_": "B"}

    @classmethod
    def objc_numberWithInt_(cls, value):
        return cls.of(cls.bound, value)

    objc_numberWithDouble_ = objc_numberWithBool_ = objc_numberWithInt_


class NSDictionary(ObjcInstance):
    pass


class NSURL(ObjcInstance):
    CLASS_METHODS = {"fileURLWithPath_": "@", "URLWithString_": "@"}
    METHODS = {"setResourceValue_forKey_error_": "@ @ ^@"}

    @classmethod
    def objc_fileURLWithPath_(cls, path):
        return cls.of(cls.bound, path.value)

    objc_URLWithString_ = objc_fileURLWithPath_

    def objc_setResourceValue_forKey_error_(self, value, key, error):
        if self.phone.takes_resource_values:
            self.phone.resource_values[self.value, key.value] = value.value
        return self.phone.takes_resource_values


class NSArray(ObjcInstance):
    METHODS = {"objectAtIndex_": "Q"}
    PROPERTIES = ("count",)

    def objc_count(self):
        return len(self.value)

    def objc_objectAtIndex_(self, index):
        return self.value[index]


class AVAudioSessionPortDescription(ObjcInstance):
    PROPERTIES = ("portName",)

    def objc_portName(self):
        return self.phone.classes["NSString"].of(self.phone, self.value)


class AVAudioSessionRouteDescription(ObjcInstance):
    PROPERTIES = ("inputs",)

    def objc_inputs(self):
        classes = self.phone.classes
        ports = [
            classes["AVAudioSessionPortDescription"].of(self.phone, name) for name in self.value
        ]
        return classes["NSArray"].of(self.phone, ports)


class AVAudioSession(ObjcInstance):
    CLASS_METHODS = {"sharedInstance": ""}
    METHODS = {"setCategory_mode_options_error_": "@ @ Q ^@", "setActive_error_": "B ^@"}
    PROPERTIES = ("recordPermission", "currentRoute", "inputAvailable")

    @classmethod
    def objc_sharedInstance(cls):
        if "shared" not in cls.__dict__:
            cls.shared = cls(cls.bound)
        cls.latest = cls.shared
        return cls.shared

    def objc_recordPermission(self):
        code = int.from_bytes(PERMISSIONS[self.phone.permission], "big")
        return code - 2**32 if code >= 2**31 else code

    def objc_currentRoute(self):
        names = [self.phone.route] if self.phone.route else []
        return self.phone.classes["AVAudioSessionRouteDescription"].of(self.phone, names)

    def objc_inputAvailable(self):
        return self.phone.has_microphone

    def objc_setCategory_mode_options_error_(self, category, mode, options, error):
        self.phone.log.append(f"category {category.value} {mode.value} {options}")
        return True

    def objc_setActive_error_(self, active, error):
        if active and self.phone.in_call:
            return False
        self.phone.active = active
        self.phone.log.append(f"active {active}")
        return True


class AVAudioRecorder(ObjcInstance):
    """Writes a CAF file as iOS does: the size of the sound is -1 until it is finished."""

    CLASS_METHODS = {"alloc": ""}
    METHODS = {
        "initWithURL_settings_error_": "@ @ ^@",
        "prepareToRecord": "",
        "record": "",
        "pause": "",
        "stop": "",
        "isRecording": "",
        "updateMeters": "",
        "averagePowerForChannel_": "Q",
        "setMeteringEnabled_": "B",
    }
    PROPERTIES = ("recording",)

    @classmethod
    def objc_alloc(cls):
        return cls(cls.bound)

    def objc_initWithURL_settings_error_(self, url, settings, error):
        values = settings.value
        assert values == {
            "AVFormatIDKey": 0x6C70636D,
            "AVSampleRateKey": values["AVSampleRateKey"],
            "AVNumberOfChannelsKey": 1,
            "AVLinearPCMBitDepthKey": 16,
            "AVLinearPCMIsFloatKey": False,
            "AVLinearPCMIsBigEndianKey": False,
        }
        if values["AVSampleRateKey"] not in self.phone.rates:
            return None
        self._path, self._rate = url.value, values["AVSampleRateKey"]
        self._finished = self._metering = self._measured = False
        return self

    def __setattr__(self, name, value):
        assert name.startswith("_"), f"{name} is set by its setter"
        object.__setattr__(self, name, value)

    def objc_prepareToRecord(self):
        with open(self._path, "wb") as file:
            file.write(caf_header(self._rate))
        return True

    def objc_record(self):
        if self.phone.permission == "undetermined":
            self.phone.asking = True
            return True
        if self.phone.in_call or not self.phone.active or self._finished:
            return False
        self.phone.recording = self
        self.phone.log.append("record")
        return True

    def objc_pause(self):
        self._halt("pause")

    def objc_stop(self):
        self._halt("stop")
        if not self._finished and os.path.exists(self._path):
            self._finished = True
            self._finish()

    def _halt(self, word):
        if self.phone.recording is self:
            self.phone.recording = None
            self.phone.log.append(word)

    def _finish(self):
        header = len(caf_header(self._rate))
        size = os.path.getsize(self._path) - header + 4
        with open(self._path, "r+b") as file:
            file.seek(header - 12)
            file.write(struct.pack(">q", size))
            if self.phone.extra_chunk_after_data:
                file.seek(0, os.SEEK_END)
                file.write(struct.pack(">4sq", b"info", 6) + b"\1\2\3\4\5\6")

    def objc_isRecording(self):
        return self.phone.recording is self

    objc_recording = objc_isRecording

    def objc_setMeteringEnabled_(self, enabled):
        self._metering = enabled

    def objc_updateMeters(self):
        assert self._metering
        self._measured = True

    def objc_averagePowerForChannel_(self, channel):
        assert self._measured and channel == 0
        return self.phone.power

    def objc_write(self, samples):
        with open(self._path, "ab") as file:
            file.write(samples.astype("<i2").tobytes())


class UIApplication(ObjcInstance):
    CLASS_METHODS = {"sharedApplication": ""}
    METHODS = {"openURL_": "@"}

    @classmethod
    def objc_sharedApplication(cls):
        return cls(cls.bound)

    def objc_openURL_(self, url):
        self.phone.log.append(f"open {url.value}")
        return self.phone.settings_open


def caf_header(rate: float, flags: int = 2, channels: int = 1, bits: int = 16) -> bytes:
    """A CAF up to its first sample, with a chunk in between that is of no use."""
    size = channels * bits // 8
    description = struct.pack(">d4sIIIII", rate, b"lpcm", flags, size, 1, channels, bits)
    return (
        struct.pack(">4sHH", b"caff", 1, 0)
        + struct.pack(">4sq", b"desc", len(description))
        + description
        + struct.pack(">4sq", b"free", 20)
        + bytes(20)
        + struct.pack(">4sqI", b"data", -1, 0)
    )
