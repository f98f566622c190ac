"""Every selector of iOS that is used is one of Apple's, by the types that NativeScript publishes.

The recorders can only have used what the stand-ins have: `fake_pyobjus` for Python, and the headers
in `apple/` for the shim. So it is the stand-ins that are compared.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.app.recorders import fake_pyobjus
from tests.app.recorders.published_stubs import npm_file, npm_package

TYPES_IOS = ("@nativescript/types-ios", "9.1.2")
FRAMEWORKS = ("Foundation", "AVFAudio", "UIKit")
ROOT = Path(__file__).resolve().parents[3]
APPLE = Path(__file__).with_name("apple")
PLUMBING = {"alloc", "init", "retain", "release", "dealloc"}  # of NSObject, known to the compiler


class Published:
    """Apple's classes, constants and enumerations by NativeScript."""

    def __init__(self, texts: list[str]) -> None:
        self.text = "\n".join(texts)
        self._classes = {
            found[1]: (found[2], found[3])
            for found in re.finditer(
                r"^declare class (\w+)(?:<[^>]*>)?(?: extends (\w+))?[^{]*\{\n(.*?)^\}",
                self.text,
                re.MULTILINE | re.DOTALL,
            )
        }

    def has_method(self, kind: str, selector: str, static: bool = False) -> bool:
        """NativeScript's name of a selector is its parts, each but the first with a capital."""
        parts = selector.split(":")
        name = parts[0] + "".join(part[:1].upper() + part[1:] for part in parts[1:])
        count = selector.count(":")
        for line in self._lines(kind):
            found = re.match(rf"(static )?{re.escape(name)}(?:<[\w, ]+>)?\((.*)\): ", line)
            if found and bool(found[1]) == static and _parameters(found[2]) == count:
                return True
        return False

    def has_property(self, kind: str, name: str) -> bool:
        return any(re.match(rf"(readonly )?{name}: ", line) for line in self._lines(kind))

    def has_getter(self, kind: str, selector: str) -> bool:
        """Whether it reads a property: by its name, or `is` and its name."""
        plain = selector[2:3].lower() + selector[3:] if selector.startswith("is") else selector
        return self.has_property(kind, selector) or self.has_property(kind, plain)

    def has_class_property(self, kind: str, name: str) -> bool:
        return any(re.match(rf"static (readonly )?{name}: ", line) for line in self._lines(kind))

    def has_setter(self, kind: str, selector: str) -> bool:
        """Whether it sets a property that is not read-only."""
        name = selector[3:4].lower() + selector[4:-1]
        return selector.startswith("set") and any(
            line.startswith(f"{name}: ") for line in self._lines(kind)
        )

    def has(self, kind: str, selector: str, static: bool) -> bool:
        if self.has_method(kind, selector, static):
            return True
        if static:
            return self.has_class_property(kind, selector)
        return self.has_getter(kind, selector) or self.has_setter(kind, selector)

    def _lines(self, kind: str) -> list[str]:
        assert kind in self._classes, f"Apple has no class {kind}"
        base, body = self._classes[kind]
        inherited = self._lines(base) if base and base in self._classes else []
        return [line.strip() for line in body.splitlines()] + inherited


def _parameters(text: str) -> int:
    """How many parameters a list of TypeScript has, those of blocks not counted."""
    depth = count = 0
    for character in text.replace("=>", ""):
        depth += {"(": 1, "{": 1, "<": 1, ")": -1, "}": -1, ">": -1}.get(character, 0)
        count += character == ":" and depth == 0
    return count


@pytest.fixture(scope="module")
def published(request):
    tarball = npm_package(*TYPES_IOS, request.config.cache.mkdir("npm"))
    return Published([npm_file(tarball, f"objc!{name}.d.ts") for name in FRAMEWORKS])


def stand_ins() -> list[type]:
    return [
        each
        for each in vars(fake_pyobjus).values()
        if isinstance(each, fake_pyobjus.ObjcMeta) and each is not fake_pyobjus.ObjcInstance
    ]


def test_each_selector_that_python_sends_is_apples(published):
    checked = 0
    for kind in stand_ins():
        for static, methods in ((True, kind.CLASS_METHODS), (False, kind.METHODS)):
            for name in methods:
                selector = name.replace("_", ":")
                assert published.has(kind.__name__, selector, static), (kind.__name__, selector)
                checked += 1
        for name in kind.PROPERTIES:
            assert published.has_property(kind.__name__, name), (kind.__name__, name)
            checked += 1
    assert checked > 25


def test_each_selector_that_the_shim_sends_is_apples(published):
    checked = 0
    for path in sorted(APPLE.rglob("*.h")):
        for kind, body in re.findall(
            r"@interface (\w+) (?:: NSObject )?.*?\n(.*?)@end", path.read_text("utf-8"), re.DOTALL
        ):
            body = re.sub(r"^.*?\n\}\n", "", body, flags=re.DOTALL)
            for sign, declaration in re.findall(
                r"^([-+]) \([^)]*\)\s*([^;]*);", body, re.MULTILINE
            ):
                selector = _selector(declaration)
                if selector in PLUMBING:
                    continue
                assert published.has(kind, selector, sign == "+"), (kind, selector)
                checked += 1
    assert checked > 30


def _selector(declaration: str) -> str:
    """Of `setActive:(BOOL)active error:(NSError **)error`."""
    previous = None
    while previous != declaration:  # the innermost parentheses first, for blocks
        previous, declaration = declaration, re.sub(r"\([^()]*\)", "", declaration)
    parts = re.findall(r"(\w+):", declaration)
    return "".join(f"{part}:" for part in parts) if parts else declaration.strip()


def test_constants_and_enumerations_are_apples(published):
    python = "\n".join(
        path.read_text("utf-8") for path in (ROOT / "app/recorders/ios").glob("*.py")
    )
    names = set(re.findall(r'constant\("(\w+)"\)', python))
    header = (APPLE / "AVFoundation/AVFoundation.h").read_text("utf-8")
    header += (APPLE / "UIKit/UIKit.h").read_text("utf-8")
    names |= {
        name for line in re.findall(r"extern NSString ([^;]*);", header) for name in line.split("*")
    } - {""}
    assert len(names) > 10
    for name in names:
        assert f"declare var {name}: string;" in published.text, name
    checked = 0
    for name, value in re.findall(r"\b(AV\w+) = (\d+)", header):
        enumeration = re.search(
            rf"enum (\w+) \{{[^}}]*\b{re.escape(_case(name))} = {value}\b", published.text
        )
        assert enumeration, f"{name} = {value}"
        checked += 1
    assert checked == 7


def _case(name: str) -> str:
    """NativeScript drops the name of the enumeration before that of the case."""
    for prefix in (
        "AVAudioSessionRecordPermission",
        "AVAudioSessionInterruptionType",
        "AVAudio",  # of AVAudioCommonFormat
    ):
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    raise AssertionError(name)


def test_permissions_have_apples_codes(published):
    from app.recorders.ios.session import DENIED, GRANTED, UNDETERMINED

    codes = re.search(r"enum AVAudioSessionRecordPermission \{(.*?)\}", published.text, re.DOTALL)
    assert dict(re.findall(r"(\w+) = (\d+)", codes[1])) == {
        "Undetermined": str(UNDETERMINED),
        "Denied": str(DENIED),
        "Granted": str(GRANTED),
    }


def test_a_selector_that_apple_does_not_have_would_be_found(published):
    assert published.has("AVAudioRecorder", "initWithURL:settings:error:", static=False)
    for kind, selector in (
        ("AVAudioRecorder", "initWithURL:setting:error:"),
        ("AVAudioRecorder", "initWithURL:settings:"),
        ("AVAudioRecorder", "recordNow"),
        ("AVAudioRecorder", "setRecording:"),  # read-only
        ("AVAudioSession", "setActive:"),
    ):
        assert not published.has(kind, selector, static=False), selector
