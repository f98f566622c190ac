"""Where the app keeps what is private on each platform, by Kivy itself, and what the docs say."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.app.packaging.test_mobile_page import row

ROOT = Path(__file__).resolve().parents[3]


def attribute(name: str) -> str:
    """Of EdgeApp; importing it would open a window."""
    tree = ast.parse((ROOT / "app" / "application.py").read_text(encoding="utf-8"))
    (app,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "EdgeApp"]
    (value,) = [
        n.value for n in app.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name
    ]
    return ast.literal_eval(value)


@pytest.fixture
def folder_on(monkeypatch):
    """The folder that Kivy gives an app of this name on a platform."""
    monkeypatch.setenv("KIVY_NO_ARGS", "1")
    import kivy.app

    def folder(platform: str) -> Path:
        monkeypatch.setattr(kivy.app, "platform", platform)
        named = type("Named", (kivy.app.App,), {"name": attribute("name")})
        return Path(named().user_data_dir)

    return folder


@pytest.fixture
def files(monkeypatch, tmp_path):
    """The folder that Android gives the app, which no other app may open."""
    folder = SimpleNamespace(getAbsolutePath=lambda: str(tmp_path))
    jnius = ModuleType("jnius")
    jnius.autoclass = lambda name: SimpleNamespace(
        mActivity=SimpleNamespace(getFilesDir=lambda: folder)
    )
    jnius.cast = lambda name, thing: thing
    monkeypatch.setitem(sys.modules, "jnius", jnius)
    return tmp_path


def test_on_android_it_is_the_app_s_own_folder_of_files(folder_on, files):
    assert folder_on("android") == files
    spec = (ROOT / "app" / "buildozer.spec").read_text()
    option = dict(re.findall(r"^([\w.]+) = (.*)$", spec, re.M))
    package = f"{option['package.domain']}.{option['package.name']}"
    assert row("where the app keeps things")[0] == f"`/data/user/0/{package}/files`"


def test_on_android_an_update_of_the_app_empties_nothing_of_it():
    """What it empties is `app` in there, into which it unpacks itself."""
    text = (ROOT / "app" / "application.py").read_text(encoding="utf-8")
    inside = set(re.findall(r'self\.folder / "([\w.]+)"', text))
    assert "history" in inside and "app" not in inside


def test_on_ios_it_is_in_the_documents_of_the_app_s_container(folder_on, monkeypatch, tmp_path):
    (tmp_path / "Documents").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))  # the container
    assert folder_on("ios") == tmp_path / "Documents" / attribute("name")
    stated = row("where the app keeps things")[1]
    assert stated == f"`Documents/{attribute('name')}` in the app's container"


def test_on_linux_it_is_in_the_person_s_configuration(folder_on, monkeypatch, tmp_path):
    (tmp_path / ".config").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert folder_on("linux") == tmp_path / ".config" / attribute("name")
    page = (ROOT / "docs" / "mobile.md").read_text(encoding="utf-8")
    assert f"(`~/.config/{attribute('name')}` on Linux)" in page


@pytest.mark.skipif(sys.platform != "linux", reason="Kivy makes all folders of other systems")
def test_an_account_without_any_settings_gets_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("KIVY_NO_ARGS", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "new"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    from kivy.app import App

    from app.private_folder import private_folder

    folder = private_folder(type("Named", (App,), {"name": "edgeser"})())
    assert folder == tmp_path / "new" / ".config" / "edgeser" and folder.is_dir()
