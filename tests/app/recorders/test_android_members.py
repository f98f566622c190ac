"""The classes of Android that the recorder was driven against are Android's own in every member.

The recorder can only have used what those classes have; so what it uses is there in Android, too.
"""

from __future__ import annotations

import re

import pytest

from tests.app.recorders.android_scenarios import members_of
from tests.app.recorders.conftest import JAVA, python_for_android
from tests.app.recorders.published_stubs import (
    AndroidStub,
    Member,
    java_member,
    npm_file,
    npm_package,
    typescript_classes,
)

TYPES_ANDROID = ("@nativescript/types-android", "9.1.1")
OLDEST = 21  # python-for-android's own limit


@pytest.fixture(scope="module")
def members(on_phone, java_classes) -> dict[str, list[Member]]:
    """The public members of each class of android.* that was written for the tests."""
    files = sorted((java_classes / "android").rglob("*.class"))
    names = [
        ".".join(path.relative_to(java_classes).with_suffix("").parts)
        for path in files
        if not re.search(r"\$\d", path.stem)  # nameless classes
    ]
    described = on_phone(members_of, names)
    found = {
        name: [member for each in lines if (member := java_member(each)) is not None]
        for name, lines in described.items()
    }
    for own in found.values():  # of Object, or a default constructor
        own[:] = [member for member in own if member.name != "toString"]
    return found


@pytest.fixture(scope="module")
def typescript(members, request):
    tarball = npm_package(*TYPES_ANDROID, request.config.cache.mkdir("npm"))
    text = npm_file(tarball, "android-platform-21-37-merged.d.ts")
    return typescript_classes(text, {name.replace("$", ".") for name in members})


def test_there_is_something_to_compare(members):
    assert len(members) > 20
    record = {member.name for member in members["android.media.AudioRecord"]}
    assert {"<init>", "read", "getMinBufferSize", "startRecording", "ERROR_DEAD_OBJECT"} <= record


def test_each_member_is_in_androids_stubs_with_the_same_types(members):
    for name, own in members.items():
        stub = AndroidStub(name)
        for member in own:
            if member.name == "<init>" and not member.parameters:
                continue  # the compiler's, which the recorder never calls
            assert stub.has(member), f"{name}: {member}"


def test_a_member_that_android_does_not_have_would_be_found(members):
    stub = AndroidStub("android.media.AudioRecord")
    read = next(m for m in members["android.media.AudioRecord"] if m.name == "read")
    assert stub.has(read)
    for wrong in (
        Member("reed", read.parameters, read.result, False),
        Member("read", (*read.parameters, "int", "int"), read.result, False),
        Member("read", read.parameters, "java.lang.String", False),
        Member("read", read.parameters, read.result, True),
        Member("ERROR", None, "java.lang.String", True),
    ):
        assert not stub.has(wrong), wrong


def test_constants_have_androids_values(typescript):
    checked = 0
    for name, own in typescript.items():
        values = {
            found[1]: found[2]
            for member in own
            if (found := re.fullmatch(r'public static (\w+): (-?\d+|".*");', member.text))
        }
        path = JAVA / (re.sub(r"\.([A-Z]\w*).*", r"/\1", name).replace(".", "/") + ".java")
        # Nested classes stand in the file of the outer one; names are told apart by their values.
        for constant, value in re.findall(
            r'static final (?:int|String) (\w+) =\s*(-?\d+|".*?");', path.read_text("utf-8")
        ):
            if constant in values:
                assert values[constant] == value, f"{name}.{constant}"
                checked += 1
    assert checked > 25


def test_what_only_newer_phones_have_is_missed_on_the_test_phone_when_it_is_older(
    members, typescript
):
    """So that the tests on old versions would fail if the recorder used it without asking."""
    guarded = {}
    for path in (JAVA / "android").rglob("*.java"):
        for name, version in re.findall(
            r"(\w+)\([^()]*\)[^;{}]*\{\s*Phone\.since\((\d+)\);", path.read_text("utf-8")
        ):
            guarded.setdefault(name, set()).add(int(version))
    checked = 0
    for name, own in members.items():
        for member in own:
            if (not member.parameters and member.name == "<init>") or member.parameters is None:
                continue
            since = _since(typescript[name.replace("$", ".")], member)
            if since is None or since <= OLDEST:
                continue
            simple = name.rpartition("$")[2] if member.name == "<init>" else member.name
            assert since in guarded.get(simple, set()), f"{name}: {member} since {since}"
            checked += 1
    assert checked >= 12


def _since(own, member: Member) -> int | None:
    """The version since which a method of so many parameters is there; None if inherited."""
    name = "constructor" if member.name == "<init>" else member.name
    count = len(member.parameters)
    versions = [
        max(each.since, own[0].since)
        for each in own
        if (found := re.match(rf"public (?:static )?{re.escape(name)}\((.*?)\)[:;]", each.text))
        and (found[1].count(": ") == count)
    ]
    return min(versions) if versions else None


def test_the_activity_of_python_for_android_has_what_its_stand_in_has():
    source = python_for_android()
    if source is None:
        pytest.skip("python-for-android is not installed")
    root = source.split("/recipes/")[0]
    with open(
        f"{root}/bootstraps/sdl2/build/src/main/java/org/kivy/android/PythonActivity.java",
        encoding="utf-8",
    ) as file:
        theirs = _declarations(file.read())
    ours = _declarations((JAVA / "org/kivy/android/PythonActivity.java").read_text("utf-8"))
    assert {"mActivity", "addPermissionsCallback", "requestPermissionsWithRequestCode"} <= set(ours)
    for name, declaration in ours.items():
        assert theirs.get(name) == declaration


def _declarations(java: str) -> dict[str, str]:
    """Each public field, method and interface of a class of Java, by its name."""
    text = re.sub(r"\s+", " ", java)
    return {
        found[2]: found[1].strip()
        for found in re.finditer(
            r"((?:public|protected) (?:static )?[\w\[\]]+ (\w+) ?(?:\([^)]*\))?) ?[={;]", text
        )
    }
