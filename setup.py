"""Builds the Cython kernels into `edge._kernels`; everything else is in pyproject.toml."""

from __future__ import annotations

import os
import platform
import sys
import tempfile

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = ("spectral", "resample", "int8")
SHARED = "edge._kernels._memoryview"  # what Cython would put into each kernel by itself

TARGET_CLONES = """
#if defined(__ANDROID__)
#error what Android's loader does with it was never tried
#endif
__attribute__((target_clones("avx512f", "avx2", "default")))
void scale(float *row, float by) { for (int i = 0; i < 64; i++) row[i] *= by; }
"""
OPTIMISED_FUNCTIONS = """
#if !defined(__GNUC__) || defined(__clang__) || __GNUC__ < 9
#error only GCC optimises one function more than another
#endif
"""


class BuildKernels(build_ext):
    """Optimised, and bit-equal on every x86-64: no contraction to FMA, no fast-math, no -march."""

    def build_extensions(self) -> None:
        if self.compiler.compiler_type != "msvc":
            for extension in self.extensions:
                extension.extra_compile_args += ["-ffp-contract=off", "-g0"]
                if sys.platform.startswith("linux"):  # no symbols, no padding, nothing to unwind
                    extension.extra_compile_args.append("-fno-asynchronous-unwind-tables")
                    extension.extra_link_args += ["-Wl,-s", "-Wl,-z,noseparate-code"]
            if "-O" not in os.environ.get("CFLAGS", ""):  # the caller's wish goes first
                self._optimise()
            if self._makes_target_clones():
                for extension in self.extensions:
                    extension.define_macros.append(("EDGE_TARGET_CLONES", "1"))
        super().build_extensions()

    def _makes_target_clones(self) -> bool:
        """Whether compiler, linker and C library can choose a function by processor at load."""
        if platform.machine().lower() not in ("x86_64", "amd64") or sys.platform == "darwin":
            return False
        return self._builds(TARGET_CLONES)

    def _optimise(self) -> None:
        """For speed; for size where there are no loops, or where they are optimised by name."""
        small = {SHARED}
        if self._builds(OPTIMISED_FUNCTIONS):
            small.add("edge._kernels.int8")
        for extension in self.extensions:
            extension.extra_compile_args.append("-Os" if extension.name in small else "-O3")

    def _builds(self, code: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "probe.c")
            with open(source, "w", encoding="ascii") as file:
                file.write(code)
            try:
                objects = self.compiler.compile(
                    [source], output_dir=folder, extra_postargs=["-O3", "-fPIC"]
                )
                self.compiler.link_shared_object(objects, os.path.join(folder, "probe.so"))
            except Exception:  # noqa: BLE001 - each compiler class raises its own kind
                return False
        return True


setup(
    ext_modules=cythonize(
        [
            *(Extension(f"edge._kernels.{name}", [f"kernels/{name}.pyx"]) for name in KERNELS),
            Extension(SHARED, ["build/kernels/_memoryview.c"]),
        ],
        build_dir="build/kernels",
        shared_utility_qualified_name=SHARED,
        compiler_directives={
            "language_level": 3,
            "boundscheck": False,
            "wraparound": False,
            "cdivision": True,
            "initializedcheck": False,
            "auto_pickle": False,
            "binding": False,
        },
    ),
    cmdclass={"build_ext": BuildKernels},
)
