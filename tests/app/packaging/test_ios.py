"""The package for iOS: kivy-ios's recipe and Xcode project, completed with what is the app's."""

from __future__ import annotations

import json
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("kivy_ios")

ROOT = Path(__file__).resolve().parents[3]
IOS = ROOT / "app" / "ios"
OURS = IOS / "project"
RECIPE = IOS / "recipes" / "edge_ser"
KERNELS = ("_memoryview", "int8", "resample", "spectral")
LANGUAGES = ("de", "en")
REASONS = {  # of developer.apple.com/documentation/bundleresources: required reason API
    "NSPrivacyAccessedAPICategoryFileTimestamp": {"DDA9.1", "C617.1", "3B52.1", "0A2A.1"},
    "NSPrivacyAccessedAPICategorySystemBootTime": {"35F9.1", "8FFB.1", "3D61.1"},
    "NSPrivacyAccessedAPICategoryDiskSpace": {"85F4.1", "E174.1", "7D9E.1", "B728.1"},
    "NSPrivacyAccessedAPICategoryActiveKeyboards": {"3EC4.1", "54BD.1"},
    "NSPrivacyAccessedAPICategoryUserDefaults": {"CA92.1", "1C8F.1", "C56D.1", "AC6B.1"},
}


def run(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True)


def texts(language: str) -> dict[str, str]:
    """Of a strings file: a comment, or "key" = "text"; on each line."""
    lines = (OURS / f"{language}.lproj" / "InfoPlist.strings").read_text(encoding="utf-8")
    found = {}
    for line in lines.splitlines():
        pair = re.fullmatch(r'"(\w+)" = "([^"\\]*)";', line)
        assert pair or re.fullmatch(r"/\* .* \*/", line), line
        if pair:
            found[pair[1]] = pair[2]
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[list[str], Path, Path]:
    """Order of the recipes; the static library; the folder of the packages."""
    if not all(map(shutil.which, ("cc", "ld", "ar", "nm"))):
        pytest.skip("a C compiler and binutils are not here; make system-deps installs them")
    script = Path(__file__).with_name("build_by_ios_recipe.py")
    done = run(sys.executable, script, RECIPE, tmp_path_factory.mktemp("ios"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    order, library, packages = json.loads(done.stdout.splitlines()[-1])
    return order, Path(library), Path(packages)


def create(folder: Path) -> Path:
    """What `toolchain create "Edge SER"` does, by kivy-ios's own template."""
    import kivy_ios
    from cookiecutter.main import cookiecutter

    context = {
        "title": "EdgeSER",
        "project_name": "edgeser",
        "domain_name": "org.kivy.edgeser",
        "project_dir": str(ROOT / "app"),
        "version": "1.0.0",
        "dist_dir": str(folder / "dist"),
    }
    template = Path(kivy_ios.__file__).parent / "tools" / "templates"
    cookiecutter(str(template), no_input=True, output_dir=str(folder), extra_context=context)
    return folder / "edgeser-ios"


@pytest.fixture(scope="module")
def completed(tmp_path_factory) -> Path:
    """The Xcode project's folder, completed twice, as after an update."""
    folder = tmp_path_factory.mktemp("xcode")
    project = create(folder)
    (folder / "dist" / "xcframework" / "libedge_ser.xcframework").mkdir(parents=True)
    for _ in range(2):
        done = run(sys.executable, IOS / "complete.py", project)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return project


@pytest.fixture(scope="module")
def xcode(completed):
    from pbxproj import XcodeProject

    return XcodeProject.load(str(completed / "edgeser.xcodeproj" / "project.pbxproj"))


def phase_of(xcode, name: str) -> list[str]:
    """Names of the files of one phase of the build, each as often as it is in there."""
    (phase,) = xcode.objects.get_objects_in_section(name)
    files = [xcode.get_object(xcode.get_object(i).fileRef) for i in phase.files]
    return [Path(file.path).name for file in files]


def test_kivy_ios_builds_edge_after_python_and_numpy(built):
    order, _, _ = built
    assert order.index("edge_ser") > max(order.index("python3"), order.index("numpy"))


def test_the_library_has_each_kernel_s_entry(built):
    _, library, _ = built
    symbols = run("nm", library).stdout
    assert sorted(re.findall(r" T PyInit_(\w+)", symbols)) == sorted(KERNELS)


def test_the_package_lies_beside_the_library_whole(built):
    _, _, packages = built
    tracked = run("git", "-C", ROOT, "ls-files", "edge").stdout.split()
    found = {str(path.relative_to(packages)) for path in packages.rglob("*") if path.is_file()}
    assert {name for name in tracked if not name.endswith(".gitignore")} - found == set()
    # Empty files, by which kivy-ios's importer knows that a module is in the library.
    markers = [packages / "edge" / "_kernels" / name for name in KERNELS]
    assert all(len(list(m.parent.glob(f"{m.name}.*.so"))) == 1 for m in markers)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_says_why_it_wants_the_microphone(language):
    text = texts(language)["NSMicrophoneUsageDescription"]
    assert 40 < len(text) < 160 and text.endswith(".")
    assert set(texts(language)) == set(texts("en"))


def test_the_languages_are_those_of_the_property_list():
    properties = plistlib.loads((OURS / "Info.plist").read_bytes())
    assert sorted(properties["CFBundleLocalizations"]) == list(LANGUAGES)
    for key, text in texts("en").items():
        assert properties[key] == text
    assert texts("de")["NSMicrophoneUsageDescription"] != properties["NSMicrophoneUsageDescription"]


def test_the_property_list_asks_for_the_microphone_and_nothing_else():
    properties = plistlib.loads((OURS / "Info.plist").read_bytes())
    assert [k for k in properties if k.endswith("UsageDescription")] == [
        "NSMicrophoneUsageDescription"
    ]
    assert "UIBackgroundModes" not in properties
    assert "NSAppTransportSecurity" not in properties
    assert not properties["UIFileSharingEnabled"]
    assert "microphone" in properties["UIRequiredDeviceCapabilities"]


def test_the_names_are_android_s():
    properties = plistlib.loads((OURS / "Info.plist").read_bytes())
    spec = (ROOT / "app" / "buildozer.spec").read_text()
    android = dict(re.findall(r"^(title|package\.\w+) = (.*)$", spec, re.M))
    assert properties["CFBundleDisplayName"] == android["title"]
    identifier = f"{android['package.domain']}.{android['package.name']}"
    assert properties["CFBundleIdentifier"] == identifier


def test_the_privacy_manifest_says_that_nothing_is_collected():
    manifest = plistlib.loads((OURS / "PrivacyInfo.xcprivacy").read_bytes())
    assert set(manifest) == {
        "NSPrivacyTracking",
        "NSPrivacyTrackingDomains",
        "NSPrivacyCollectedDataTypes",
        "NSPrivacyAccessedAPITypes",
    }
    assert manifest["NSPrivacyTracking"] is False
    assert manifest["NSPrivacyTrackingDomains"] == manifest["NSPrivacyCollectedDataTypes"] == []


def test_the_privacy_manifest_gives_reasons_that_apple_knows():
    manifest = plistlib.loads((OURS / "PrivacyInfo.xcprivacy").read_bytes())
    given = {
        entry["NSPrivacyAccessedAPIType"]: set(entry["NSPrivacyAccessedAPITypeReasons"])
        for entry in manifest["NSPrivacyAccessedAPITypes"]
    }
    assert len(given) == len(manifest["NSPrivacyAccessedAPITypes"])
    assert all(reasons and reasons <= REASONS[category] for category, reasons in given.items())


def test_the_project_s_properties_are_kivy_ios_s_and_ours(completed):
    properties = plistlib.loads((completed / "edgeser-Info.plist").read_bytes())
    ours = plistlib.loads((OURS / "Info.plist").read_bytes())
    assert ours.items() <= properties.items()
    assert properties["UILaunchStoryboardName"] == "Launch Screen"
    assert len(properties["UISupportedInterfaceOrientations"]) == 4
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.M)[1]
    assert properties["CFBundleShortVersionString"] == properties["CFBundleVersion"] == version


def test_the_project_builds_the_microphone_s_sources_without_arc(completed, xcode):
    sources = phase_of(xcode, "PBXSourcesBuildPhase")
    assert sorted(sources) == ["bridge.m", "edge_microphone.m", "edge_ring.c", "main.m"]
    for name in ("edge_microphone.m", "edge_ring.c"):
        (file,) = xcode.get_files_by_name(name)
        assert (completed / file.path).resolve() == IOS / name
    flags = [c.buildSettings for c in xcode.objects.get_objects_in_section("XCBuildConfiguration")]
    assert not [f for f in flags if "CLANG_ENABLE_OBJC_ARC" in f]


def test_the_project_links_the_kernels_and_embeds_nothing(xcode):
    linked = phase_of(xcode, "PBXFrameworksBuildPhase")
    assert linked.count("libedge_ser.xcframework") == 1
    assert linked.count("AVFoundation.framework") == 1
    assert list(xcode.objects.get_objects_in_section("PBXCopyFilesBuildPhase")) == []


def test_the_bundle_gets_the_texts_and_the_privacy_manifest(completed, xcode):
    resources = phase_of(xcode, "PBXResourcesBuildPhase")
    for name in ("PrivacyInfo.xcprivacy", "de.lproj", "en.lproj", "YourApp"):
        assert resources.count(name) == 1, name
        assert name == "YourApp" or (completed / name).exists()


def test_the_bundle_gets_no_other_system_s_files(completed, xcode, tmp_path):
    phases = xcode.objects.get_objects_in_section("PBXShellScriptBuildPhase")
    (script,) = [p.shellScript for p in phases if "rsync" in p.shellScript]
    script = script.replace('\\"', '"')
    excluded = re.findall(r"--exclude=/(\S+)", script)
    assert all((ROOT / "app" / name).exists() for name in excluded if name != "bin")
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not here; make system-deps installs it")
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PROJECT_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    copied = tmp_path / "YourApp"
    kinds = {path.suffix for path in copied.rglob("*") if path.is_file()}
    assert kinds == {".py"}
    assert {"main.py", "application.py", "recorders/ios/shim.py"} <= {
        str(path.relative_to(copied)) for path in copied.rglob("*.py")
    }
    assert not (copied / "recorders" / "android").exists()


def test_the_icon_is_one_for_all_sizes(completed):
    icons = completed / "edgeser" / "Images.xcassets" / "AppIcon.appiconset"
    (entry,) = json.loads((icons / "Contents.json").read_text())["images"]
    assert entry == {
        "filename": "icon.png",
        "idiom": "universal",
        "platform": "ios",
        "size": "1024x1024",
    }
    assert (icons / "icon.png").read_bytes() == (ROOT / "app/art/icon-ios.png").read_bytes()


def test_the_first_screen_has_the_splash_s_colour(completed):
    import xml.etree.ElementTree as ElementTree

    storyboard = ElementTree.parse(completed / "Storyboards" / "Launch Screen.storyboard")
    (colour,) = storyboard.iterfind(".//color[@key='backgroundColor']")
    spec = (ROOT / "app" / "buildozer.spec").read_text()
    android = re.search(r"presplash_color = #(\w{6})", spec)[1]
    found = [round(255 * float(colour.get(part))) for part in ("red", "green", "blue")]
    assert found == list(bytes.fromhex(android))


def test_a_project_without_the_kernels_is_refused_by_name(tmp_path):
    project = create(tmp_path)
    before = (project / "edgeser-Info.plist").read_bytes()
    done = run(sys.executable, IOS / "complete.py", project)
    assert done.returncode == 1
    assert "libedge_ser.xcframework is not there" in done.stderr
    assert (project / "edgeser-Info.plist").read_bytes() == before


def test_a_folder_that_is_no_project_is_refused(tmp_path):
    (tmp_path / "dist" / "xcframework" / "libedge_ser.xcframework").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    done = run(sys.executable, IOS / "complete.py", tmp_path / "empty")
    assert (done.returncode, "has 0 Xcode projects" in done.stderr) == (1, True)
