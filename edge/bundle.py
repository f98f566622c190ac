"""The model bundle: a folder of models that is either exactly what was released, or refused."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Callable, TypeVar

from edge.emotion import NativeExpert, TFLiteExpert, make_expert
from edge.errors import BundleError, SettingsError
from edge.features import EmotionFeatures, FrontEnd
from edge.gender import GenderGate
from edge.labels import GENDERS, LABELS
from edge.prosody import Prosody

FORMAT = 1
"""The manifest's format version that this package reads and writes."""

MANIFEST = "manifest.json"

DEFAULT_BUNDLE = Path(__file__).parent / "models" / "default"
"""The folder of the models that ship with the package."""

_LARGEST_FILE = 64 * 1024 * 1024

_T = TypeVar("_T")


@dataclass(frozen=True)
class Blend:
    """How windows are cut and the two experts weighed."""

    certain: float
    """Posterior of the likelier gender from which it counts as certain; above 0.5, at most 1."""
    window_hop_frames: int
    """Frames from one window's begin to the next one's."""
    active_span_db: float
    """Sound below this many dB, relative to the loudest cell, is cut off at both ends; below 0."""
    most: float = 1.0
    """The weight of an expert whose gender is certain, the rest being the other one's; 0.5 to 1.
    The default, of a bundle that states none, leaves it to answer alone."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Blend:
        """Checks and takes the manifest's `blend`; raises SettingsError."""
        expected = {"certain", "window_hop_frames", "active_span_db"}
        if set(values) - {"most"} != expected:
            wrong = ", ".join(sorted(expected ^ (set(values) - {"most"})))
            raise SettingsError(f"missing or unknown settings: {wrong}")
        return cls(
            _number(values["certain"], "certain"),
            _whole_number(values["window_hop_frames"], "window_hop_frames"),
            _number(values["active_span_db"], "active_span_db"),
            _number(values.get("most", cls.most), "most"),
        )

    def female_weight(self, female: float) -> float:
        """The weight of the female expert, when the speaker is female with that probability.

        The male one has the rest; an expert of weight 0 need not run.
        """
        if female >= self.certain:
            female = 1.0
        elif female <= 1.0 - self.certain:
            female = 0.0
        return 1.0 - self.most + (2.0 * self.most - 1.0) * female

    def to_dict(self) -> dict[str, Any]:
        """The manifest's `blend`."""
        return {
            "certain": self.certain,
            "window_hop_frames": self.window_hop_frames,
            "active_span_db": self.active_span_db,
            "most": self.most,
        }

    def __post_init__(self) -> None:
        if not 0.5 < self.certain <= 1.0:
            raise SettingsError(f"certain must be above 0.5 and at most 1, got {self.certain}")
        if self.window_hop_frames < 1:
            raise SettingsError(
                f"window_hop_frames must be at least 1, got {self.window_hop_frames}"
            )
        if not -math.inf < self.active_span_db < 0.0:
            raise SettingsError(
                f"active_span_db must be finite and below 0, got {self.active_span_db}"
            )
        if not 0.5 <= self.most <= 1.0:
            raise SettingsError(f"most must be from 0.5 to 1, got {self.most}")


@dataclass(frozen=True)
class Thresholds:
    """From where on an answer is not to be trusted; the manifest's optional block `thresholds`."""

    uncertain: float = 0.4
    """A likeliest emotion below this probability is uncertain; 0 to 1. The default, of a bundle
    that states none, asks for more than three times what eight equal emotions would have."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Thresholds:
        """Checks and takes the manifest's `thresholds`; raises SettingsError."""
        if set(values) != {"uncertain"}:
            wrong = ", ".join(sorted({"uncertain"} ^ set(values)))
            raise SettingsError(f"missing or unknown settings: {wrong}")
        return cls(_number(values["uncertain"], "uncertain"))

    def to_dict(self) -> dict[str, Any]:
        """The manifest's `thresholds`."""
        return {"uncertain": self.uncertain}

    def __post_init__(self) -> None:
        if not 0.0 <= self.uncertain <= 1.0:
            raise SettingsError(f"uncertain must be from 0 to 1, got {self.uncertain}")


class Bundle:
    """A verified model bundle; make one with `Bundle.load`.

    name, version: of the models, as released.
    labels: the emotions, in the order of every logit vector.
    front_end, emotion_features, blend: the settings with which the models were trained.
    thresholds: from where on an answer is not to be trusted.
    gate: the gender gate.
    prosody: what judges a window's statistics beside the experts; None when the manifest has no
        block `prosody`.
    experts: the emotion expert of each gender; they get ready at first use.
    temperatures: of each expert's softmax.
    metrics, licence, manifest: what the release says of itself, as plain JSON values.
    folder: where it was read from.
    """

    def __init__(
        self,
        folder: Path,
        manifest: dict[str, Any],
        front_end: FrontEnd,
        emotion_features: EmotionFeatures,
        blend: Blend,
        gate: GenderGate,
        models: dict[str, tuple[str, bytes]],
        temperatures: dict[str, float],
        thresholds: Thresholds,
        prosody: Prosody | None = None,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.front_end = front_end
        self.emotion_features = emotion_features
        self.blend = blend
        self.gate = gate
        self.temperatures = temperatures
        self.thresholds = thresholds
        self.prosody = prosody
        self.labels = LABELS
        self.name: str = manifest["name"]
        self.version: str = manifest["version"]
        self.metrics: dict[str, Any] = manifest["metrics"]
        self.licence: dict[str, Any] = manifest["licence"]
        self._models = models

    @classmethod
    def load(cls, folder: str | os.PathLike[str] | None = None) -> Bundle:
        """Reads and verifies a bundle; without `folder`, the one that ships with the package.

        Raises BundleError naming the file and the reason when anything is not as the manifest
        says: a file missing, added, altered or truncated, another format version, other labels,
        settings that this package cannot honour, a number that is not finite.
        """
        folder = DEFAULT_BUNDLE if folder is None else Path(folder)
        manifest = _read_manifest(folder)
        contents = _read_files(folder, _section(manifest, "files", dict))

        def settings(key: str, read: Callable[[dict[str, Any]], _T]) -> _T:
            try:
                return read(_section(manifest, key, dict))
            except SettingsError as error:
                raise BundleError(f"{MANIFEST}: {key}: {error}") from error

        front_end = settings("front_end", FrontEnd.from_dict)
        features = settings("emotion_features", EmotionFeatures.from_dict)
        blend = settings("blend", Blend.from_dict)
        gate_file = settings("gender", lambda gender: _listed(gender, contents, "gender"))
        gate = _load_gate(gate_file, contents[gate_file])
        _check_agreement(front_end, features, blend)
        if gate.bands != front_end.mel_bands:
            raise BundleError(
                f"{gate_file}: made for {gate.bands} mel bands; the front end of {MANIFEST} has "
                f"{front_end.mel_bands}"
            )
        models, temperatures = settings("experts", lambda experts: _experts(experts, contents))
        thresholds = Thresholds()
        if "thresholds" in manifest:
            thresholds = settings("thresholds", Thresholds.from_dict)
        prosody = None
        if "prosody" in manifest:
            name = settings("prosody", lambda section: _listed(section, contents, "prosody"))
            prosody = _load_prosody(name, contents[name], front_end)
        return cls(
            folder, manifest, front_end, features, blend, gate, models, temperatures, thresholds,
            prosody,
        )

    @cached_property
    def experts(self) -> dict[str, NativeExpert | TFLiteExpert]:
        """The emotion expert of each gender, run by the package's own kernels."""
        return self.make_experts()

    def make_experts(
        self, num_threads: int = 1, runtime: str = "native"
    ) -> dict[str, NativeExpert | TFLiteExpert]:
        """New experts.

        runtime: "native" for the package's own kernels, "tflite" for an interpreter of TFLite
            models, which has to be installed and is looked for at the first use.
        num_threads: threads of each interpreter; 1 for "native". Raises SettingsError.
        """
        return {
            gender: make_expert(model, name, runtime, num_threads)
            for gender, (name, model) in self._models.items()
        }

    def __repr__(self) -> str:
        return f"<Bundle {self.name} {self.version} in {self.folder}>"


def write_manifest(
    folder: str | os.PathLike[str], manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Completes and writes `manifest.json` for the files that are in `folder` now.

    manifest: everything but `format`, `labels` and `files`, which are filled in here.

    Returns the manifest as written. Raises BundleError when the folder holds what a bundle cannot
    (a folder), or the manifest a value that JSON cannot (a NaN). That the whole is sound only
    `Bundle.load` says.
    """
    folder = Path(folder)
    files = {}
    for path in sorted(folder.iterdir()):
        if path.name == MANIFEST:
            continue
        if not path.is_file():
            raise BundleError(f"{path.name}: a bundle holds plain files only; move it elsewhere")
        content = path.read_bytes()
        files[path.name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    complete = {**manifest, "format": FORMAT, "labels": list(LABELS), "files": files}
    try:
        text = json.dumps(complete, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BundleError(f"{MANIFEST}: cannot be written as JSON: {error}") from error
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return complete


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise BundleError(f"{path}: missing; give the folder of a model bundle")
    try:
        manifest = json.loads(
            _read(path), parse_constant=_refuse_constant, object_pairs_hook=_without_repeats
        )
    except (ValueError, RecursionError) as error:  # ValueError: bad UTF-8 and bad JSON, too
        raise BundleError(f"{MANIFEST}: not a valid JSON document: {error}") from error
    if not isinstance(manifest, dict):
        raise BundleError(f"{MANIFEST}: not a JSON object")
    _refuse_non_finite(manifest, "")
    if manifest.get("format") != FORMAT:
        raise BundleError(
            f"{MANIFEST}: format version {manifest.get('format')!r}; this package reads {FORMAT}; "
            "use the release of the package that the bundle was made for"
        )
    if manifest.get("labels") != list(LABELS):
        raise BundleError(
            f"{MANIFEST}: labels {manifest.get('labels')!r} instead of {list(LABELS)!r}"
        )
    for key, kind in (("name", str), ("version", str), ("metrics", dict), ("licence", dict)):
        _section(manifest, key, kind)
    return manifest


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a finite number")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"repeated key {next(key for key in keys if keys.count(key) > 1)!r}")
    return values


def _refuse_non_finite(value: Any, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):  # such as 1e999
        raise BundleError(f"{MANIFEST}: {where} is not a finite number")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_non_finite(item, f"{where}.{key}" if where else key)
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_non_finite(item, f"{where}[{index}]")


def _section(manifest: Mapping[str, Any], key: str, kind: type[_T]) -> _T:
    value = manifest.get(key)
    if not isinstance(value, kind):
        found = "missing" if key not in manifest else f"a {type(value).__name__}"
        raise BundleError(f"{MANIFEST}: {key}: expected a {kind.__name__}, found {found}")
    return value


def _read_files(folder: Path, files: dict[str, Any]) -> dict[str, bytes]:
    """The content of every listed file, after all of them proved to be what is listed."""
    for name in files:
        _check_name(name)
    present = {path.name for path in folder.iterdir()} - {MANIFEST}
    for name in sorted(present - set(files)):
        raise BundleError(f"{name}: not listed in {MANIFEST}; remove it from the bundle")
    for name in sorted(set(files) - present):
        raise BundleError(f"{name}: listed in {MANIFEST}, but missing; get the bundle again")
    return {name: _read_verified(folder / name, listed) for name, listed in files.items()}


def _check_name(name: str) -> None:
    plain = name not in ("", ".", "..", MANIFEST) and not set(name) & set("/\\:\0")
    if not plain:
        raise BundleError(
            f"{MANIFEST}: files: {name!r} is not the plain name of a file inside the bundle"
        )


def _read_verified(path: Path, listed: Any) -> bytes:
    try:
        size = _whole_number(listed["bytes"], "bytes")
        digest = listed["sha256"]
    except (TypeError, KeyError, SettingsError) as error:
        raise BundleError(
            f"{MANIFEST}: files: {path.name} needs its `bytes` and `sha256`: {error}"
        ) from error
    content = _read(path)
    if len(content) != size:
        raise BundleError(
            f"{path.name}: {len(content)} bytes instead of {size}; get the bundle again"
        )
    if hashlib.sha256(content).hexdigest() != digest:
        raise BundleError(
            f"{path.name}: altered (its SHA-256 is not that of {MANIFEST}); get the bundle again"
        )
    return content


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise BundleError(f"{path.name}: {size} bytes; at most {_LARGEST_FILE} are read")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path.name}: cannot be read: {error.strerror}") from error


def _check_agreement(front_end: FrontEnd, features: EmotionFeatures, blend: Blend) -> None:
    window = front_end.window_frames
    if features.frames != window:
        raise BundleError(
            f"{MANIFEST}: emotion_features: {features.frames} frames for windows of {window}"
        )
    if features.n_mfcc > front_end.mel_bands:
        raise BundleError(
            f"{MANIFEST}: emotion_features: {features.n_mfcc} coefficients of "
            f"{front_end.mel_bands} mel bands"
        )
    if blend.window_hop_frames > window:
        raise BundleError(
            f"{MANIFEST}: blend: a window_hop_frames of {blend.window_hop_frames} leaves gaps "
            f"between windows of {window} frames"
        )


def _listed(section: Mapping[str, Any], contents: Mapping[str, bytes], what: str) -> str:
    name = section.get("file")
    if not isinstance(name, str) or name not in contents:
        raise BundleError(f"{MANIFEST}: {what}: file {name!r} is not one of the listed files")
    return name


def _experts(
    section: Mapping[str, Any], contents: Mapping[str, bytes]
) -> tuple[dict[str, tuple[str, bytes]], dict[str, float]]:
    if set(section) != set(GENDERS):
        raise BundleError(
            f"{MANIFEST}: experts: {sorted(section)} instead of {sorted(GENDERS)}"
        )
    models = {}
    temperatures = {}
    for gender in GENDERS:
        expert = _section(section, gender, dict)
        name = _listed(expert, contents, f"experts.{gender}")
        if contents[name][4:8] != b"TFL3":
            raise BundleError(f"{name}: not a TFLite model (no TFL3 mark at byte 4)")
        models[gender] = (name, contents[name])
        temperature = _number(expert.get("temperature"), f"{gender}.temperature")
        if not temperature > 0.0:
            raise SettingsError(f"{gender}.temperature must be above 0, got {temperature}")
        temperatures[gender] = temperature
    return models, temperatures


def _load_prosody(name: str, content: bytes, front_end: FrontEnd) -> Prosody:
    file = io.BytesIO(content)
    file.name = name
    try:
        return Prosody.load(file, front_end)
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from error


def _load_gate(name: str, content: bytes) -> GenderGate:
    file = io.BytesIO(content)
    file.name = name
    try:
        return GenderGate.load(file)
    except BundleError as error:
        raise BundleError(f"{name}: {error}") from error


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SettingsError(f"{name} must be a number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise SettingsError(f"{name} is too large a number") from None


def _whole_number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SettingsError(f"{name} must be a whole number, got {value!r}")
    return value
