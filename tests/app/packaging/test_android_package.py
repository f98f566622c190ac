"""The Android project that Buildozer and python-for-android make of the app, up to Gradle."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from app.look.palette import DARK

pytest.importorskip("buildozer")
pytest.importorskip("pythonforandroid")

ROOT = Path(__file__).resolve().parents[3]
APP = ROOT / "app"
ANDROID = "{http://schemas.android.com/apk/res/android}"
FRAMEWORK = Path("/usr/share/android-framework-res/framework-res.apk")
NOT_FOR_ANDROID = ("art", "ios", "manifest", "recipes", "recorders/ios")


@pytest.fixture(scope="module")
def dist(tmp_path_factory) -> Path:
    """The project for a release; not to be written to."""
    folder = tmp_path_factory.mktemp("package")
    script = Path(__file__).with_name("package_by_buildozer.py")
    done = subprocess.run(
        [sys.executable, str(script), str(APP / "buildozer.spec"), str(folder), "release"],
        env={**os.environ, "HOME": str(folder)},  # Buildozer keeps a folder there
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder / "dist"


@pytest.fixture(scope="module")
def manifest(dist) -> ElementTree.Element:
    return ElementTree.parse(dist / "src" / "main" / "AndroidManifest.xml").getroot()


@pytest.fixture(scope="module")
def application(manifest) -> ElementTree.Element:
    (found,) = manifest.iter("application")
    return found


@pytest.fixture(scope="module")
def unpacked(dist, tmp_path_factory) -> Path:
    """What the phone unpacks at the first start; not named like the package."""
    folder = tmp_path_factory.mktemp("phone") / "unpacked"
    with tarfile.open(dist / "src" / "main" / "assets" / "private.tar") as archive:
        archive.extractall(folder, filter="data")
    return folder


def test_the_manifest_asks_for_the_microphone_alone(manifest):
    asked = [e for e in manifest.iter() if e.tag.startswith("uses-permission")]
    assert [e.get(ANDROID + "name") for e in asked] == ["android.permission.RECORD_AUDIO"]


def test_nothing_in_the_project_brings_the_internet_permission(dist):
    texts = [p for p in dist.rglob("*") if p.suffix in (".xml", ".gradle", ".properties")]
    assert dist / "src" / "main" / "AndroidManifest.xml" in texts
    named = [p for p in texts if "android.permission.INTERNET" in p.read_text(errors="replace")]
    assert named == []
    # A library would bring a manifest of its own, to be merged with this one.
    gradle = (dist / "build.gradle").read_text()
    assert "dependencies {" in gradle and "implementation" not in gradle


def test_the_manifest_s_api_is_the_spec_s(manifest):
    (sdk,) = manifest.iter("uses-sdk")
    assert sdk.get(ANDROID + "minSdkVersion") == "24"
    assert sdk.get(ANDROID + "targetSdkVersion") == "36"


def test_private_data_is_neither_backed_up_nor_moved(dist, application):
    assert application.get(ANDROID + "allowBackup") == "false"
    assert application.get(ANDROID + "dataExtractionRules") == "@xml/data_extraction_rules"
    rules = dist / "src" / "main" / "res" / "xml" / "data_extraction_rules.xml"
    excluded = {
        section.tag: {rule.get("domain") for rule in section.findall("exclude[@path='.']")}
        for section in ElementTree.parse(rules).getroot()
    }
    everything = {"root", "file", "database", "sharedpref", "external"}
    assert excluded == {"cloud-backup": everything, "device-transfer": everything}


def test_a_release_cannot_be_debugged_and_opens_one_door(application):
    assert application.get(ANDROID + "debuggable") is None
    kinds = ("activity", "service", "receiver", "provider")
    (only,) = [element for kind in kinds for element in application.iter(kind)]
    assert only.get(ANDROID + "name") == "org.kivy.android.PythonActivity"
    assert not list(only.iter("data"))  # no links open it


def test_a_release_is_a_bundle_for_every_processor(dist):
    command = json.loads((dist.parent / "command.json").read_text())
    assert command[0] == "aab" and "--release" in command
    archs = {command[i + 1] for i, word in enumerate(command) if word == "--arch"}
    assert archs == {"arm64-v8a", "armeabi-v7a", "x86_64"}


def test_a_turn_of_the_phone_restarts_nothing(application):
    (activity,) = application.iter("activity")
    handled = set(activity.get(ANDROID + "configChanges").split("|"))
    assert {"orientation", "screenSize", "screenLayout", "uiMode", "fontScale"} <= handled


def test_the_app_keeps_clear_of_the_system_s_bars_where_it_is_drawn_under_them(dist, application):
    """By its activity's own theme, as Android 15 and later read it."""
    (activity,) = application.iter("activity")
    styles = ElementTree.parse(dist / "src" / "main" / "res" / "values-v35" / "styles.xml")
    (style,) = styles.iter("style")
    assert activity.get(ANDROID + "theme") == f"@style/{style.get('name')}"
    items = {item.get("name"): item.text for item in style}
    assert items.pop("android:fitsSystemWindows") == "true"
    assert items.pop("android:windowBackground") == DARK.background.replace("#", "#FF")
    earlier = ElementTree.parse(dist / "src" / "main" / "res" / "values" / "strings.xml")
    (before,) = [s for s in earlier.iter("style") if s.get("name") == style.get("name")]
    assert items == {item.get("name"): item.text for item in before}  # nothing else is lost


def test_the_pictures_are_ours(dist):
    resources = dist / "src" / "main" / "res"
    for ours, theirs in {
        "icon.png": "mipmap/icon.png",
        "icon-foreground.png": "mipmap/icon_foreground.png",
        "icon-background.png": "mipmap/icon_background.png",
        "splash.png": "drawable/presplash.jpg",  # the name says so whatever the format
    }.items():
        assert (APP / "art" / ours).read_bytes() == (resources / theirs).read_bytes(), ours
    assert (resources / "mipmap-anydpi-v26" / "icon.xml").exists()


def test_the_app_s_modules_go_along_and_nothing_else(unpacked):
    there = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    modules = {str(p.relative_to(APP)) + "c" for p in APP.rglob("*.py")}
    modules = {
        name for name in modules if not name.startswith(tuple(f + "/" for f in NOT_FOR_ANDROID))
    }
    assert there == modules | {"sitecustomize.pyc", "p4a_env_vars.txt"}


def phone(unpacked: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Runs Python as the app's process does: in the folder, optimised, the folder on the path."""
    return subprocess.run(
        [sys.executable, "-OO", *arguments],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
    )


def test_the_app_starts_by_its_main_file_alone(unpacked):
    done = phone(unpacked, "main.pyc", "--clip", "nothing.wav")
    assert (done.returncode, done.stderr) == (2, "nothing.wav: there is no such file\n")


def test_the_app_s_modules_are_those_of_the_phone(unpacked):
    code = (
        "import runpy, sys\n"
        "runpy.run_path('main.pyc', run_name='phone')\n"
        "import app.export, app.recorders.android\n"
        "print(app.export.__file__)\n"
        "print(app.recorders.android.__file__)\n"
    )
    done = phone(unpacked, "-c", code)
    assert done.returncode == 0, done.stderr
    assert [Path(line).relative_to(unpacked) for line in done.stdout.split()] == [
        Path("export.pyc"),
        Path("recorders/android/__init__.pyc"),
    ]


def test_edge_recognises_without_docstrings_and_asserts(unpacked):
    code = (
        "import sys; from edge import Recognizer\nprint(Recognizer().predict(sys.argv[1]).gender)\n"
    )
    clip = ROOT / "examples" / "clips" / "female_plain.wav"
    done = phone(unpacked, "-c", code, str(clip))
    assert (done.returncode, done.stdout) == (0, "female\n"), done.stderr


def test_android_s_packager_reads_manifest_and_resources(dist, tmp_path):
    if shutil.which("aapt") is None or not FRAMEWORK.exists():
        pytest.skip("aapt or android-framework-res is not here; make system-deps installs them")
    text = (dist / "src" / "main" / "AndroidManifest.xml").read_text()
    # Debian's framework is of Android 10, before that attribute; and Gradle gives the package.
    text = re.sub(r"android:dataExtractionRules=\S+", "", text)
    text = text.replace("<manifest ", '<manifest package="org.edgeser.edgeser" ', 1)
    manifest = tmp_path / "AndroidManifest.xml"
    manifest.write_text(text)
    resources = tmp_path / "res"
    shutil.copytree(
        dist / "src" / "main" / "res", resources, ignore=shutil.ignore_patterns(".gitkeep")
    )
    package = tmp_path / "resources.apk"
    for command in (
        ("package", "-M", manifest, "-S", resources, "-I", FRAMEWORK, "-F", package),
        ("dump", "badging", package),
    ):
        done = subprocess.run(["aapt", *map(str, command)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    asked = re.findall(r"^uses-permission.*name='(.*)'", done.stdout, re.M)
    assert asked == ["android.permission.RECORD_AUDIO"]
    assert "sdkVersion:'24'" in done.stdout and "targetSdkVersion:'36'" in done.stdout
    assert "application-label:'Edge SER'" in done.stdout
    assert "icon='res/mipmap-anydpi-v26/icon.xml'" in done.stdout
    resources = subprocess.run(
        ["aapt", "dump", "--values", "resources", str(package)], capture_output=True, text=True
    )
    assert "config v35:" in resources.stdout
