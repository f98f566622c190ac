"""Runs `edge` as its Android recipe built it, on an emulated ARM processor, beside this machine.

    python -m tests.app.packaging.emulate FOLDER (arm64-v8a|armeabi-v7a)

As root on Debian, with debootstrap and qemu-user-static. A Debian for that processor is downloaded
into FOLDER (about 60 MB), for its Python and numpy; nothing else stands in for the phone. Prints,
for each sample clip, what both answer and how far they are apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MACHINES = {  # Debian's name, the emulator, the folder of the libraries
    "arm64-v8a": ("arm64", "qemu-aarch64-static", "aarch64-linux-gnu"),
    "armeabi-v7a": ("armhf", "qemu-arm-static", "arm-linux-gnueabihf"),
}
PREDICT = """
import json, platform, sys
import numpy
from edge import Recognizer
recognizer = Recognizer()
print(platform.machine(), "Python", platform.python_version(), "numpy", numpy.__version__)
for clip in sys.argv[1:]:
    prediction = recognizer.predict(clip)
    print(json.dumps([prediction.gender_posterior, *prediction.probabilities.values()]))
"""


def debian(folder: Path, name: str) -> Path:
    """The root of a Debian with Python and numpy, unpacked once."""
    root = folder / name
    if not (root / "usr" / "bin" / "python3").exists():
        packages = "--include=python3,python3-numpy,python3-distutils"
        bootstrap = ["debootstrap", f"--arch={name}", "--foreign", "--variant=minbase", packages]
        subprocess.run([*bootstrap, "bookworm", str(root)], check=True, stdout=sys.stderr)
        for package in sorted((root / "var" / "cache" / "apt" / "archives").glob("*.deb")):
            subprocess.run(["dpkg", "-x", str(package), str(root)], check=True)
    return root


def answers(command: list[str], **settings) -> tuple[str, list[list[float]]]:
    clips = sorted(str(clip) for clip in (ROOT / "examples" / "clips").glob("*.wav"))
    done = subprocess.run(
        [*command, "-c", PREDICT, *clips], stdout=subprocess.PIPE, text=True, check=True, **settings
    )
    first, *rest = done.stdout.splitlines()
    return first, [json.loads(line) for line in rest]


def main(folder: Path, arch: str) -> None:
    name, emulator, libraries = MACHINES[arch]
    folder.mkdir(parents=True, exist_ok=True)
    root = debian(folder, name)
    script = Path(__file__).with_name("build_by_recipe.py")
    build = folder / f"build-{os.getpid()}"
    build.mkdir()
    done = subprocess.run(
        [sys.executable, script, ROOT / "app" / "recipes", build, arch, "optimised"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    packages = done.stdout.splitlines()[-1]
    paths = [root / "usr" / "lib" / libraries / part for part in ("", "blas", "lapack")]
    paths += [library.parent for library in build.rglob("libpython*.so")]  # the empty one
    emulated = [emulator, "-L", str(root)]
    for variable, value in {
        "PYTHONHOME": root / "usr",
        "PYTHONPATH": f"{packages}:{root}/usr/lib/python3/dist-packages",
        "LD_LIBRARY_PATH": ":".join(map(str, [root / "lib" / libraries, *paths])),
    }.items():
        emulated += ["-E", f"{variable}={value}"]
    there = answers([*emulated, str(root / "usr" / "bin" / "python3"), "-s"], cwd=folder)
    here = answers([sys.executable], cwd=ROOT)
    print(f"{there[0]} | {here[0]}")
    for one, other in zip(there[1], here[1]):
        apart = [abs(a - b) for a, b in zip(one, other)]
        print(
            f"gender {one[0]:.6f} | {other[0]:.6f}, apart {apart[0]:.1e}; "
            f"emotions apart at most {max(apart[1:]):.1e}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
