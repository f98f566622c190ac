"""What is shared, and how: on a desktop truly, on Android against the published interface."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from app import device
from app.sharing import AndroidSharing, DesktopSharing, SharingFailed

published = pytest.importorskip("tests.app.recorders.published_stubs")


class Phone:
    """Classes of Android whose members are those of the published stubs, and no others."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def autoclass(self, name: str) -> Any:
        if name.startswith("android."):
            return Made(self, name, _members(name))
        if name == "org.kivy.android.PythonActivity":  # an android.app.Activity
            activity = Made(self, "android.app.Activity", _members("android.app.Activity"))
            return types.SimpleNamespace(mActivity=activity)
        if name == "java.lang.String":
            return str
        return Made(self, name, None)  # Java's own


class Made:
    """A class or an object of the phone."""

    def __init__(self, phone: Phone, name: str, members: dict[str, set[int]] | None) -> None:
        self._phone, self._name, self._members = phone, name, members

    def __call__(self, *arguments: Any) -> Made:
        assert self._members is None or len(arguments) in self._members["__init__"], self._name
        self._phone.calls.append((self._name, arguments))
        return self

    def __getattr__(self, member: str) -> Any:
        name = f"{self._name}.{member}"
        assert self._members is None or member in self._members, f"Android has no {name}"
        if name in self._phone.answers and not callable(self._phone.answers[name]):
            return self._phone.answers[name]
        if self._members is not None and not self._members[member]:
            return name  # a constant

        def call(*arguments: Any) -> Any:
            allowed = None if self._members is None else self._members[member]
            assert allowed is None or len(arguments) in allowed, f"{name}{arguments}"
            self._phone.calls.append((name, arguments))
            answer = self._phone.answers.get(name)
            return answer(*arguments) if callable(answer) else Made(self._phone, name, None)

        return call


def _members(name: str) -> dict[str, set[int]]:
    """Each member's numbers of arguments; none for a constant."""
    stub = published.AndroidStub(name)
    found: dict[str, set[int]] = {"__init__": {0}}
    for each in [stub, *_all_bases(stub)]:
        for node in each.node.body:
            if isinstance(node, ast.AnnAssign):
                found.setdefault(ast.unparse(node.target), set())
            elif isinstance(node, ast.FunctionDef):
                static = any(ast.unparse(mark) == "staticmethod" for mark in node.decorator_list)
                count = len([*node.args.posonlyargs, *node.args.args]) - (not static)
                found.setdefault(node.name, set()).add(count)
    return found


def _all_bases(stub: Any) -> list[Any]:
    return [further for base in stub._bases() for further in (base, *_all_bases(base))]


@pytest.fixture
def on_android(monkeypatch):
    """A function that puts a phone in the place of Java, with its answers."""

    def put(**answers: Any) -> Phone:
        phone = Phone({name.replace("__", "."): answer for name, answer in answers.items()})
        bridge = types.ModuleType("jnius")
        bridge.autoclass, bridge.cast = phone.autoclass, lambda name, thing: thing
        monkeypatch.setitem(sys.modules, "jnius", bridge)
        monkeypatch.setenv("ANDROID_ARGUMENT", "1")
        return phone

    return put


def called(phone: Phone, name: str) -> tuple[Any, ...]:
    """The arguments of its one call."""
    (arguments,) = [arguments for call, arguments in phone.calls if call == name]
    return arguments


def test_android_offers_a_line_by_its_share_sheet(on_android):
    phone = on_android()
    assert AndroidSharing().text("one line") is None
    assert called(phone, "android.content.Intent") == ("android.content.Intent.ACTION_SEND",)
    assert called(phone, "android.content.Intent.setType") == ("text/plain",)
    assert called(phone, "android.content.Intent.putExtra")[1] == "one line"
    assert called(phone, "android.app.Activity.startActivity")


def test_android_offers_a_file_from_its_downloads(on_android, tmp_path):
    written = bytearray()
    stream = types.SimpleNamespace(write=written.extend, close=lambda: written.extend(b"."))
    resolver = types.SimpleNamespace(
        insert=lambda where, values: "content://downloads/1",
        openOutputStream=lambda uri: stream,
    )
    phone = on_android(
        **{"android.os.Build$VERSION__SDK_INT": 34},
        android__app__Activity__getContentResolver=lambda: resolver,
    )
    path = tmp_path / "history.zip"
    path.write_bytes(b"PK" * 100_000)
    assert AndroidSharing().file(path) is None
    assert bytes(written) == path.read_bytes() + b"."
    extra = called(phone, "android.content.Intent.putExtra")
    assert extra == ("android.content.Intent.EXTRA_STREAM", "content://downloads/1")
    puts = {
        arguments
        for name, arguments in phone.calls
        if name == "android.content.ContentValues.put"
    }
    assert ("_display_name", "history.zip") in puts


def test_an_old_android_says_that_it_cannot(on_android, tmp_path):
    on_android(**{"android.os.Build$VERSION__SDK_INT": 28})
    with pytest.raises(SharingFailed, match="Android 10"):
        AndroidSharing().file(tmp_path / "history.zip")


@pytest.mark.parametrize(("mode", "dark"), [(0x21, True), (0x11, False), (0x01, True)])
def test_android_tells_its_theme(on_android, mode, dark):
    configuration = types.SimpleNamespace(uiMode=mode)
    resources = types.SimpleNamespace(getConfiguration=lambda: configuration)
    on_android(android__app__Activity__getResources=lambda: resources)
    assert device.prefers_dark() is dark


def test_android_tells_its_language_and_model(on_android):
    german = types.SimpleNamespace(getLanguage=lambda: "de")
    on_android(
        java__util__Locale__getDefault=lambda: german,
        android__os__Build__MANUFACTURER="Fairphone",
        android__os__Build__MODEL="FP5",
        **{"android.os.Build$VERSION__RELEASE": "14"},
    )
    assert device.language() == "de"
    assert device.device_name() == "Fairphone FP5, Android 14"


def test_a_system_that_does_not_tell_gets_the_defaults(on_android, monkeypatch):
    def broken() -> None:
        raise RuntimeError("no activity")

    on_android(
        android__app__Activity__getResources=broken, java__util__Locale__getDefault=broken
    )
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    assert device.prefers_dark() is True
    assert device.language() == "en"


def test_a_desktop_never_saves_over_another_file(tmp_path):
    path = tmp_path / "history.zip"
    path.write_bytes(b"new")
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    (downloads / "history.zip").write_bytes(b"old")
    saved = [DesktopSharing(downloads).file(path) for _ in range(2)]
    assert saved == [downloads / "history-2.zip", downloads / "history-3.zip"]
    assert Path(downloads / "history.zip").read_bytes() == b"old"
    assert saved[0].read_bytes() == b"new"


def test_a_desktops_language_is_the_environments(monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_AT.UTF-8")
    assert device.language() == "de"
