"""What the int8 kernel does by instructions of its own, on this processor and on emulated ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edge._kernels import int8

HERE = Path(__file__).resolve().parent
KERNELS = HERE.parents[1] / "kernels"


def compared(folder: Path, compiler: str, *emulator: str) -> list[str]:
    """Compiles the comparison and returns the instruction sets that it found equal."""
    program = folder / "int8_simd"
    command = [compiler, "-O2", "-static", "-ffp-contract=off", f"-I{KERNELS}"]
    command += [str(HERE / "int8_simd.c"), "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    done = subprocess.run([*emulator, str(program)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def test_every_set_of_instructions_here_is_exact(tmp_path):
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not here to compile the comparison")
    assert compared(tmp_path, "gcc") == list(int8.instruction_sets())


@pytest.mark.parametrize(
    ("processor", "sets"),
    [
        ("max", ["dotprod", "neon", "portable"]),
        ("cortex-a53", ["neon", "portable"]),  # without the dot product
    ],
)
def test_neon_is_exact_with_and_without_dot_products(tmp_path, processor, sets):
    tools = ("aarch64-linux-gnu-gcc", "qemu-aarch64-static")
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"not here: {', '.join(missing)}")
    assert compared(tmp_path, tools[0], tools[1], "-cpu", processor) == sets


@pytest.mark.parametrize(("processor", "last"), [("Haswell", "avx2"), ("Nehalem", "sse2")])
def test_older_x86_processors_get_what_they_have(tmp_path, processor, last):
    emulator = "qemu-x86_64-static"
    if "sse2" not in int8.instruction_sets() or not shutil.which(emulator):
        pytest.skip(f"needs an x86-64 processor and {emulator}")
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not here to compile the comparison")
    found = compared(tmp_path, "gcc", emulator, "-cpu", processor)
    assert found[0] == last and found[-1] == "portable"
