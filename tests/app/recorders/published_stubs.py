"""What others have published of the interfaces of Android and iOS, to compare ours with.

PyPI's chaquopy-stubs-android: Android's classes as Python stubs, made from its android.jar.
npm's @nativescript/types-android and types-ios: the same as TypeScript, with the values of
constants and the version since which each member is there.
"""

from __future__ import annotations

import ast
import functools
import re
import shutil
import subprocess
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

_MODIFIERS = "public|protected|private|static|final|abstract|default|synchronized|volatile"
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))


@dataclass(frozen=True)
class Member:
    """A public member of a Java class: `parameters` is None for a field."""

    name: str  # "<init>" for a constructor
    parameters: tuple[str, ...] | None
    result: str
    static: bool


def java_member(description: str) -> Member | None:
    """A member as java.lang.reflect's toString() tells it; None if it is not public."""
    found = re.fullmatch(
        rf"(?P<modifiers>(?:(?:{_MODIFIERS}) )*)(?:(?P<result>[\w.$\[\]]+) )?(?P<owner>[\w.$]+?)"
        r"(?:\((?P<parameters>.*)\))?(?: throws .*)?",
        description,
    )
    assert found, description
    modifiers = found["modifiers"].split()
    if "public" not in modifiers or ("volatile" in modifiers and found["parameters"] is not None):
        return None  # a volatile method is a bridge of the compiler
    parameters = found["parameters"]
    return Member(
        name=found["owner"].rpartition(".")[2] if found["result"] else "<init>",
        parameters=None if parameters is None else tuple(filter(None, parameters.split(","))),
        result=found["result"] or "void",
        static="static" in modifiers,
    )


@functools.cache
def _module(package: str) -> ast.Module:
    top, *rest = package.split(".")
    path = SITE_PACKAGES.joinpath(f"{top}-stubs", *rest, "__init__.pyi")
    if not (SITE_PACKAGES / f"{top}-stubs").is_dir():
        pytest.skip("chaquopy-stubs-android is not installed")
    return ast.parse(path.read_text(encoding="utf-8"))


class AndroidStub:
    """A class of Android by chaquopy-stubs-android, such as android.os.Build$VERSION."""

    def __init__(self, name: str) -> None:
        package, _, path = name.rpartition(".")
        self.package = package
        body = _module(package).body
        for part in path.split("$"):
            found = [n for n in body if isinstance(n, ast.ClassDef) and n.name == part]
            assert found, f"Android has no class {name}"
            body = found[0].body
        self.node = found[0]

    def has(self, member: Member) -> bool:
        """Whether the class, or one that it extends, has exactly this member."""
        if any(self._is(node, member) for node in self.node.body):
            return True
        return member.name != "<init>" and any(base.has(member) for base in self._bases())

    def _bases(self) -> list[AndroidStub]:
        names = [self._java_name(ast.unparse(base)) for base in self.node.bases]
        return [AndroidStub(name) for name in names if name.startswith("android.")]

    def _is(self, node: ast.stmt, member: Member) -> bool:
        if isinstance(node, ast.AnnAssign):
            annotation = ast.unparse(node.annotation)
            return (
                member.parameters is None
                and ast.unparse(node.target) == member.name
                and member.static == annotation.startswith("typing.ClassVar[")
                and self._accepts(annotation.removeprefix("typing.ClassVar[").rstrip("]"), member)
            )
        if not isinstance(node, ast.FunctionDef) or member.parameters is None:
            return False
        if node.name != member.name.replace("<init>", "__init__"):
            return False
        static = any(ast.unparse(each) == "staticmethod" for each in node.decorator_list)
        parameters = [*node.args.posonlyargs, *node.args.args]
        if not static:
            parameters = parameters[1:]
        return (
            static == member.static
            and len(parameters) == len(member.parameters)
            and all(
                java in self._java_types(ast.unparse(each.annotation))
                for each, java in zip(parameters, member.parameters)
            )
            and (member.name == "<init>" or self._accepts(ast.unparse(node.returns), member))
        )

    def _accepts(self, annotation: str, member: Member) -> bool:
        return member.result in self._java_types(annotation)

    def _java_types(self, annotation: str) -> set[str]:
        """Java's names of the types that an annotation can mean."""
        names: set[str] = set()
        for part in map(str.strip, annotation.split("|")):
            names |= {
                "int": {"int", "long", "short", "byte"},
                "bool": {"boolean"},
                "float": {"float", "double"},
                "str": {"java.lang.String"},
                "None": {"void"},
                "java.jint": {"int"},
                "java.jboolean": {"boolean"},
                "java.chaquopy.JavaArrayJByte": {"byte[]", "[B"},
                "java.chaquopy.JavaArrayJShort": {"short[]", "[S"},
                "java.chaquopy.JavaArrayJInt": {"int[]", "[I"},
                "java.chaquopy.JavaArray[java.lang.String]": {"java.lang.String[]"},
                "java.chaquopy.JavaArray[str | java.lang.String]": {"java.lang.String[]"},
            }.get(part, {self._java_name(part)})
        if "java.jint" in annotation:
            names -= {"long", "short", "byte"}
        return names

    def _java_name(self, name: str) -> str:
        """A stub's name of a class, as Java's reflection has it."""
        parts = name.split(".")
        if parts[0][:1].isupper():
            return f"{self.package}." + "$".join(parts)
        packages = [part for part in parts if part[:1].islower()]
        return ".".join([*packages, "$".join(parts[len(packages) :])])


def npm_package(name: str, version: str, folder: Path) -> Path:
    """The tarball of a package of npm, fetched once into the folder."""
    tarball = folder / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not tarball.exists():
        if shutil.which("npm") is None:
            pytest.skip("npm is not here")
        done = subprocess.run(
            ["npm", "pack", "--silent", f"{name}@{version}", "--pack-destination", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode or not tarball.exists():
            pytest.skip(f"npm cannot fetch {name}@{version}: {done.stderr.strip()[-200:]}")
    return tarball


def npm_file(tarball: Path, ending: str) -> str:
    """The text of the one file of a tarball that ends so."""
    with tarfile.open(tarball) as archive:
        (found,) = (each for each in archive.getnames() if each.endswith(ending))
        file = archive.extractfile(found)
        assert file is not None
        return file.read().decode("utf-8")


@dataclass(frozen=True)
class TypedMember:
    """A member by TypeScript: its text, and since which version it is there (0: for ever)."""

    text: str
    since: int


def typescript_classes(text: str, wanted: set[str]) -> dict[str, list[TypedMember]]:
    """The members of the wanted classes (android.os.Build.VERSION) of a d.ts of NativeScript."""
    classes: dict[str, list[TypedMember]] = {name: [] for name in wanted}
    seen: set[str] = set()
    path: list[str] = []
    since = 0
    opens = re.compile(
        r"(?:declare |export |abstract )+(?:module|class|interface|const enum) ([\w.]+)"
    )
    for line in map(str.strip, text.splitlines()):
        version = re.search(r"@since (\d+)", line)
        if version:
            since = int(version[1])
        if line.startswith(("*", "/*")) or not line:
            continue
        if line.endswith("{"):
            name = opens.match(line)
            path.append(name[1] if name else "")
            full = ".".join(path)
            if full in wanted and "class" in line.split("{")[0]:
                seen.add(full)
                classes[full].append(TypedMember("class", since))
        elif line.startswith("}"):
            path.pop()
        elif (full := ".".join(path)) in wanted and line.startswith("public "):
            classes[full].append(TypedMember(line, since))
        since = 0
    assert seen == wanted, f"not declared: {sorted(wanted - seen)}"
    return classes
