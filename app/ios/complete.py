"""Completes the Xcode project that `toolchain create` of kivy-ios made: what is this app's own.

    python app/ios/complete.py edgeser-ios

adds the kernels' library, the microphone's C sources, the texts and the privacy manifest, the icons
and the first screen's colour, and keeps out of the bundle what only other systems use. It may be
run again, as after `toolchain update`.
"""

from __future__ import annotations

import argparse
import json
import os
import plistlib
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomllib

APP = Path(__file__).resolve().parents[1]
OURS = APP / "ios" / "project"
SHIM = ("edge_microphone.m", "edge_ring.c")
FRAMEWORKS = ("AVFoundation.framework", "Foundation.framework", "UIKit.framework")
NOT_FOR_IOS = (
    "/art",
    "/bin",
    "/buildozer.spec",
    "/ios",
    "/manifest",
    "/recipes",
    "/recorders/android",
    "__pycache__",
)
DEPLOYMENT_TARGET = "13.0"
SPLASH_COLOUR = "0F1216"


class IncompleteError(Exception):
    """The project is not as kivy-ios makes it; the message says in what."""


def complete(project: Path, library: Path) -> None:
    """Changes the project in its folder; `library` is the kernels' xcframework."""
    projects = list(project.glob("*.xcodeproj"))
    if len(projects) != 1:
        raise IncompleteError(f"{project} has {len(projects)} Xcode projects; one is wanted")
    (xcodeproj,) = projects
    name = xcodeproj.stem
    _merge_properties(project / f"{name}-Info.plist")
    _copy_texts(project)
    _set_pictures(project, name)
    _colour_first_screen(project / "Storyboards" / "Launch Screen.storyboard")
    _change_build(xcodeproj / "project.pbxproj", library)


def _merge_properties(path: Path) -> None:
    properties = plistlib.loads(path.read_bytes())
    properties.update(plistlib.loads((OURS / "Info.plist").read_bytes()))
    pyproject = tomllib.loads((APP.parent / "pyproject.toml").read_text(encoding="utf-8"))
    for key in ("CFBundleShortVersionString", "CFBundleVersion"):
        properties[key] = pyproject["project"]["version"]
    path.write_bytes(plistlib.dumps(properties))


def _copy_texts(project: Path) -> None:
    shutil.copy2(OURS / "PrivacyInfo.xcprivacy", project)
    for language in OURS.glob("*.lproj"):
        shutil.copytree(language, project / language.name, dirs_exist_ok=True)


def _set_pictures(project: Path, name: str) -> None:
    """One icon of 1024 pixels, from which Xcode makes the others, and the first screen's face."""
    icons = project / name / "Images.xcassets" / "AppIcon.appiconset"
    if not icons.is_dir():
        raise IncompleteError(f"{icons} is not there")
    for old in icons.glob("*.png"):
        old.unlink()
    shutil.copy2(APP / "art" / "icon-ios.png", icons / "icon.png")
    contents = {
        "images": [
            {"filename": "icon.png", "idiom": "universal", "platform": "ios", "size": "1024x1024"}
        ],
        "info": {"author": "xcode", "version": 1},
    }
    (icons / "Contents.json").write_text(json.dumps(contents, indent=2) + "\n", encoding="utf-8")
    shutil.copy2(APP / "art" / "launch-ios.png", project / "icon.png")


def _colour_first_screen(path: Path) -> None:
    red, green, blue = (int(SPLASH_COLOUR[at : at + 2], 16) / 255 for at in (0, 2, 4))
    colour = (
        f'<color key="backgroundColor" red="{red:.6f}" green="{green:.6f}" blue="{blue:.6f}" '
        'alpha="1" colorSpace="custom" customColorSpace="sRGB"/>'
    )
    text = path.read_text(encoding="utf-8")
    text, times = re.subn(r'<color key="backgroundColor"[^>]*/>', colour, text)
    if times != 1:
        raise IncompleteError(f"{path} has {times} backgrounds")
    path.write_text(text, encoding="utf-8")


def _change_build(path: Path, library: Path) -> None:
    from pbxproj import XcodeProject

    project = XcodeProject.load(str(path))
    beside = path.parents[1].resolve()
    for name in SHIM:
        _add(project, "Microphone", os.path.relpath(APP / "ios" / name, beside))
    _add(project, "Resources", "PrivacyInfo.xcprivacy")
    for language in sorted(OURS.glob("*.lproj")):
        _add(project, "Resources", language.name, kind="folder")
    for name in FRAMEWORKS:
        _add(project, "Frameworks", f"System/Library/Frameworks/{name}", tree="SDKROOT")
    _add(project, "Frameworks", os.path.relpath(library, beside))
    (root,) = project.objects.get_objects_in_section("PBXProject")
    root["developmentRegion"] = "en"
    root["knownRegions"] = sorted(language.stem for language in OURS.glob("*.lproj"))
    project.set_flags("IPHONEOS_DEPLOYMENT_TARGET", DEPLOYMENT_TARGET)
    _keep_out(project)
    project.save()


def _add(project: Any, group: str, path: str, tree: str = "SOURCE_ROOT", kind: str = "") -> None:
    """Adds a file to a group and to the build, once."""
    from pbxproj.pbxextensions.ProjectFiles import FileOptions

    built = project.add_file(
        path,
        parent=project.get_or_create_group(group),
        tree=tree,
        force=False,
        file_options=FileOptions(embed_framework=False, ignore_unknown_type=bool(kind)),
    )
    if kind and built:
        project.get_object(built[0].fileRef).set_last_known_file_type(kind)


def _keep_out(project: Any) -> None:
    """Copies the app into the bundle without what only other systems use."""
    phases = project.objects.get_objects_in_section("PBXShellScriptBuildPhase")
    copies = [phase for phase in phases if "rsync " in phase["shellScript"]]
    if len(copies) != 1:
        raise IncompleteError(f"{len(copies)} phases of the build copy the app")
    options = " ".join(["rsync -av --delete", *(f"--exclude={name}" for name in NOT_FOR_IOS)])
    before = copies[0]["shellScript"]
    copies[0]["shellScript"] = re.sub(r"rsync -av --delete(?: --exclude=\S+)*", options, before)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("project", metavar="PROJECT", type=Path, help="the folder NAME-ios")
    options = parser.parse_args(arguments)
    library = options.project.resolve().parent / "dist" / "xcframework" / "libedge_ser.xcframework"
    try:
        if not library.exists():
            raise IncompleteError(f"{library} is not there; toolchain build edge_ser makes it")
        complete(options.project, library)
    except (IncompleteError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
