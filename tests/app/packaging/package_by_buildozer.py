"""Runs Buildozer and python-for-android up to the point where they would call Gradle.

    python package_by_buildozer.py SPEC FOLDER (debug|release)

Buildozer reads the spec, copies the app's sources and makes up the command for python-for-android;
that command goes through python-for-android's own parser to the packaging program of its bootstrap,
which renders the manifest and packs the app into FOLDER/dist. The SDK is an empty folder, and the
Python libraries that would have been built are absent. Prints the command as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import unittest.mock
from pathlib import Path


class AskedError(Exception):
    """Buildozer has called python-for-android."""


def command_of_buildozer(spec: Path, folder: Path, mode: str) -> list[str]:
    """What Buildozer passes to python-for-android for the package; copies the sources, too."""
    from buildozer import Buildozer
    from buildozer.targets.android import TargetAndroid

    (folder / "sdk" / "build-tools" / "36.0.0").mkdir(parents=True)
    os.environ["BUILDOZER_BUILD_DIR"] = str(folder / "buildozer")
    os.environ["BUILDOZER_BIN_DIR"] = str(folder / "bin")
    os.environ["APP_ANDROID_SDK_PATH"] = str(folder / "sdk")
    os.chdir(spec.parent)
    buildozer = Buildozer(spec.name)
    buildozer.set_target("android")
    target = buildozer.target
    target.build_mode = mode
    target.artifact_format = buildozer.config.get("app", f"android.{mode}_artifact")
    Path(target.get_dist_dir(buildozer.config.get("app", "package.name"))).mkdir(parents=True)
    buildozer.build_application()
    with unittest.mock.patch.object(TargetAndroid, "_p4a", side_effect=AskedError) as p4a:
        try:
            target.compile_platform()
        except AskedError:
            create = p4a.call_args.args[0]
        try:
            target.build_package()
        except AskedError:
            package = p4a.call_args.args[0]
    assert create[0] == "create", create
    requirements = [argument for argument in create if argument.startswith("--requirements")]
    # The API goes by the environment; here, by the option of the same meaning.
    api = [f"--android-api={target.android_api}"]
    return [*package, *target.extra_p4a_args, *requirements, *api]


def lay_out_dist(context, folder: Path, archs: list[str], ndk_api: int) -> Path:
    """What `p4a create` leaves behind, without anything compiled."""
    from pythonforandroid.bootstrap import Bootstrap
    from pythonforandroid.distribution import Distribution

    context.ensure_dirs()
    context.recipe_build_order = []
    bootstrap = Bootstrap.get_bootstrap("sdl2", context)
    bootstrap.distribution = Distribution.get_distribution(
        context, name="stand_in", recipes=[], archs=archs
    )
    bootstrap.prepare_build_dir()
    dist = folder / "dist"
    shutil.copytree(bootstrap.build_dir, dist)
    shutil.rmtree(dist / "src" / "patches")  # of SDL's Java sources, which are not here
    (dist / "local.properties").write_text(f"sdk.dir={folder / 'sdk'}")
    (dist / "dist_info.json").write_text(
        json.dumps(
            {
                "bootstrap": "sdl2",
                "hostpython": sys.executable,
                "archs": archs,
                "ndk_api": ndk_api,
                "use_setup_py": False,
            }
        )
    )
    for arch in archs:
        (dist / f"_python_bundle__{arch}").mkdir()
        (dist / "libs" / arch).mkdir(parents=True)
    return dist


def main(spec: Path, folder: Path, mode: str) -> None:
    command = command_of_buildozer(spec, folder, mode)
    from pythonforandroid.toolchain import ToolchainCL, load_source

    class Packager(ToolchainCL):
        def apk(self, args):
            self._fix_args(args)
            self.ctx.android_api, self.ctx.ndk_api = args.android_api, args.ndk_api
            dist = lay_out_dist(self.ctx, folder, args.arch, args.ndk_api)
            os.chdir(dist)
            load_source("build", str(dist / "build.py")).parse_args_and_make_package(
                args.unknown_args
            )

        aab = apk

    with unittest.mock.patch.object(sys, "argv", ["p4a", *command]):
        Packager()
    (folder / "command.json").write_text(json.dumps(command))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3])
