"""The spec of the package for Android, read as Buildozer reads it."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from app.look.palette import DARK

specparser = pytest.importorskip("buildozer.specparser")
tomllib = pytest.importorskip("tomllib")

ROOT = Path(__file__).resolve().parents[3]
SPEC = ROOT / "app" / "buildozer.spec"
FILES = (
    "android.extra_manifest_application_arguments",
    "android.res_xml",
    "icon.adaptive_background.filename",
    "icon.adaptive_foreground.filename",
    "icon.filename",
    "p4a.local_recipes",
    "presplash.filename",
    "version.filename",
)


@pytest.fixture(scope="module")
def spec():
    parser = specparser.SpecParser()
    parser.read(str(SPEC), "utf-8")
    return parser


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_asks_for_the_microphone_and_for_nothing_else(spec):
    assert spec.getlist("app", "android.permissions") == ["android.permission.RECORD_AUDIO"]


def test_no_line_that_is_in_force_names_the_internet():
    lines = [line for line in SPEC.read_text().splitlines() if not line.startswith("#")]
    assert not [line for line in lines if "INTERNET" in line.upper()]


def test_it_is_for_every_processor_that_a_store_serves(spec):
    assert set(spec.getlist("app", "android.archs")) == {"arm64-v8a", "armeabi-v7a", "x86_64"}


def test_it_targets_what_the_store_asks_for(spec):
    assert spec.getint("app", "android.api") >= 36
    least = spec.getint("app", "android.minapi")
    assert 24 <= least == spec.getint("app", "android.ndk_api")


def test_its_ndk_aligns_to_pages_of_16_kb_and_is_python_for_android_s(spec):
    recommendations = pytest.importorskip("pythonforandroid.recommendations")
    ndk = spec.get("app", "android.ndk")
    assert int(re.match(r"\d+", ndk)[0]) >= 28  # earlier ones align to 4 KB unless told
    assert ndk == recommendations.RECOMMENDED_NDK_VERSION


@pytest.mark.skipif(sys.platform != "linux", reason="python-for-android is a test's need on Linux")
def test_it_builds_with_the_python_for_android_that_the_tests_ran(spec):
    year, month, day = version("python-for-android").split(".")
    assert spec.get("app", "p4a.commit") == f"v{year}.{int(month):02}.{int(day):02}"


def test_its_kivy_is_the_desktop_s(spec, project):
    wanted = [name.split(";")[0] for name in project["optional-dependencies"]["app"]]
    (kivy,) = [name for name in wanted if name.startswith("kivy==")]
    assert kivy in spec.getlist("app", "requirements")


def test_edge_needs_nothing_on_the_phone_that_the_spec_lacks(spec, project):
    required = {re.match(r"[\w-]+", name)[0] for name in project["dependencies"]}
    assert required <= set(spec.getlist("app", "requirements"))
    assert project["name"] in spec.getlist("app", "requirements")


@pytest.mark.parametrize("option", FILES)
def test_files_that_it_names_are_there(spec, option):
    assert (SPEC.parent / spec.get("app", option)).exists()


def test_the_list_of_files_to_look_for_is_whole(spec):
    relative = [
        option
        for option, value in spec.items("app")
        if re.search(r"\.(png|xml|txt|toml|json|py)$", value or "") or option == "p4a.local_recipes"
    ]
    assert sorted(relative) == sorted(FILES)


def test_buildozer_knows_every_option(spec):
    """A name with a slip of the pen would be passed over without a word."""
    import buildozer

    package = Path(buildozer.__file__).parent
    known = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (package / "default.spec", *package.rglob("*.py"))
    )
    options = [option for section in spec.sections() for option in spec.options(section)]
    assert [option for option in options if not re.search(rf"\b{re.escape(option)}\b", known)] == []


def test_the_names_are_fit_for_java(spec):
    parts = [*spec.get("app", "package.domain").split("."), spec.get("app", "package.name")]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", part) for part in parts)


def test_the_splash_continues_in_the_theme_s_background(spec):
    assert spec.get("app", "android.presplash_color") == DARK.background


def test_private_data_is_backed_up_nowhere(spec):
    assert not spec.getboolean("app", "android.allow_backup")
