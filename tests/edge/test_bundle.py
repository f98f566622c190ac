from __future__ import annotations

import io
import json
import re
import zipfile

import pytest

from edge.bundle import Bundle, write_manifest
from edge.errors import BundleError
from edge.labels import LABELS

FILES = ("CARD.md", "female.tflite", "gender.npz", "male.tflite")


def rewrite(folder, change):
    """Applies `change` to the parsed manifest and writes it back as plain JSON."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def relist(folder):
    """Lists the files anew, as if the bundle had been released as it now is."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder, manifest)


def refusal(folder) -> str:
    with pytest.raises(BundleError) as caught:
        Bundle.load(folder)
    return str(caught.value)


def test_an_untouched_bundle_loads_with_all_that_its_manifest_says(bundle_copy):
    bundle = Bundle.load(bundle_copy)
    assert (bundle.name, bundle.version, bundle.labels) == ("tiny", "0.0.1", LABELS)
    assert bundle.temperatures == {"female": 1.5, "male": 0.8}
    assert (bundle.blend.certain, bundle.blend.window_hop_frames) == (0.98, 94)
    assert bundle.front_end.mel_bands == 128
    assert set(bundle.experts) == {"female", "male"}
    assert bundle.metrics["unweighted_average_recall"] == 0.125
    assert bundle.licence == {"weights": "none: random numbers"}
    assert bundle.folder == bundle_copy


def test_writing_the_manifest_of_a_loaded_bundle_again_changes_nothing(bundle_copy):
    before = (bundle_copy / "manifest.json").read_bytes()
    write_manifest(bundle_copy, Bundle.load(bundle_copy).manifest)
    assert (bundle_copy / "manifest.json").read_bytes() == before


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_flipped_bit_is_refused_with_the_file(bundle_copy, name, where):
    path = bundle_copy / name
    content = bytearray(path.read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[where]] ^= 1
    path.write_bytes(content)
    assert re.search(rf"^{re.escape(name)}: altered", refusal(bundle_copy))


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused_with_its_sizes(bundle_copy, name):
    path = bundle_copy / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert f"{name}: {len(content) - 1} bytes instead of {len(content)}" in refusal(bundle_copy)


@pytest.mark.parametrize("name", FILES)
def test_a_removed_file_is_refused_by_name(bundle_copy, name):
    (bundle_copy / name).unlink()
    assert refusal(bundle_copy).startswith(f"{name}: listed in manifest.json, but missing")


def test_an_added_file_is_refused_by_name(bundle_copy):
    (bundle_copy / "extra.bin").write_bytes(b"")
    assert refusal(bundle_copy).startswith("extra.bin: not listed")


def test_an_added_folder_is_refused_by_name(bundle_copy):
    (bundle_copy / "sub").mkdir()
    assert refusal(bundle_copy).startswith("sub: not listed")


def test_a_folder_in_a_files_place_is_refused_by_name(bundle_copy):
    (bundle_copy / "CARD.md").unlink()
    (bundle_copy / "CARD.md").mkdir()
    assert refusal(bundle_copy).startswith("CARD.md: ")


def test_a_folder_without_manifest_is_refused(tmp_path):
    assert "manifest.json: missing" in refusal(tmp_path)
    assert "manifest.json: missing" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize("keep", [0, 1, 100, -2])
def test_a_truncated_manifest_is_refused(bundle_copy, keep):
    path = bundle_copy / "manifest.json"
    path.write_bytes(path.read_bytes()[:keep])
    assert refusal(bundle_copy).startswith("manifest.json: not a valid JSON document")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"[" * 100_000, b'{"format": 1, "format": 1}', b"{'a': 1}"]
)
def test_a_manifest_that_is_not_json_is_refused(bundle_copy, content):
    (bundle_copy / "manifest.json").write_bytes(content)
    assert refusal(bundle_copy).startswith("manifest.json: not a valid JSON document")


@pytest.mark.parametrize("content", [b"[]", b"null", b"1", b'"manifest"'])
def test_a_manifest_that_is_not_an_object_is_refused(bundle_copy, content):
    (bundle_copy / "manifest.json").write_bytes(content)
    assert refusal(bundle_copy) == "manifest.json: not a JSON object"


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_version_is_refused(bundle_copy, version):
    rewrite(bundle_copy, lambda manifest: manifest.update(format=version))
    assert f"manifest.json: format version {version!r}" in refusal(bundle_copy)


def test_swapped_labels_are_refused(bundle_copy):
    def swap(manifest):
        labels = manifest["labels"]
        labels[0], labels[1] = labels[1], labels[0]

    rewrite(bundle_copy, swap)
    assert refusal(bundle_copy).startswith("manifest.json: labels ['calm', 'neutral'")


def test_a_missing_label_is_refused(bundle_copy):
    rewrite(bundle_copy, lambda manifest: manifest["labels"].pop())
    assert refusal(bundle_copy).startswith("manifest.json: labels")


@pytest.mark.parametrize(
    "key",
    [
        *("name", "version", "front_end", "emotion_features", "gender", "experts", "blend"),
        *("files", "metrics", "licence"),
    ],
)
@pytest.mark.parametrize("change", ["missing", "of another type"])
def test_a_section_that_is_missing_or_of_another_type_is_refused_by_name(bundle_copy, key, change):
    def alter(manifest):
        manifest.pop(key)
        if change == "of another type":
            manifest[key] = [1]

    rewrite(bundle_copy, alter)
    assert refusal(bundle_copy).startswith(f"manifest.json: {key}: expected a ")


@pytest.mark.parametrize("section", ["front_end", "emotion_features", "blend"])
@pytest.mark.parametrize("change", ["unknown", "missing"])
def test_settings_that_are_unknown_or_missing_are_refused(bundle_copy, section, change):
    def alter(manifest):
        if change == "unknown":
            manifest[section]["future"] = 1
        else:
            manifest[section].pop(next(iter(manifest[section])))

    rewrite(bundle_copy, alter)
    assert refusal(bundle_copy).startswith(f"manifest.json: {section}: ")


@pytest.mark.parametrize(
    ("key", "value"), [("mel_bands", 0), ("hop_length", "256"), ("floor_db", 3), ("low_hz", None)]
)
def test_front_end_settings_out_of_range_are_refused(bundle_copy, key, value):
    rewrite(bundle_copy, lambda manifest: manifest["front_end"].update({key: value}))
    message = refusal(bundle_copy)
    assert message.startswith("manifest.json: front_end: ") and key in message


def test_the_experts_may_hear_down_to_a_floor(bundle_copy):
    """Bundles of before there was one say nothing of it."""
    rewrite(bundle_copy, lambda manifest: manifest["emotion_features"].pop("floor_db", None))
    assert Bundle.load(bundle_copy).emotion_features.floor_db == -80.0
    rewrite(bundle_copy, lambda manifest: manifest["emotion_features"].update({"floor_db": -45.0}))
    assert Bundle.load(bundle_copy).emotion_features.floor_db == -45.0


def test_a_blend_may_say_how_much_an_expert_weighs_at_most(bundle_copy):
    assert Bundle.load(bundle_copy).blend.most == 1.0
    rewrite(bundle_copy, lambda manifest: manifest["blend"].update({"most": 0.7}))
    assert Bundle.load(bundle_copy).blend.most == 0.7


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("certain", 0.5), ("certain", 1.01), ("certain", "0.98"), ("certain", True)),
        *(("most", 0.4), ("most", 1.1), ("most", "1")),
        *(("window_hop_frames", 0), ("window_hop_frames", 94.0), ("window_hop_frames", 189)),
        *(("active_span_db", 0.0), ("active_span_db", None), ("active_span_db", -(10**400))),
    ],
)
def test_blend_settings_out_of_range_are_refused(bundle_copy, key, value):
    rewrite(bundle_copy, lambda manifest: manifest["blend"].update({key: value}))
    message = refusal(bundle_copy)
    assert message.startswith("manifest.json: blend: ") and key in message


@pytest.mark.parametrize(
    ("section", "changes", "reason"),
    [
        ("front_end", {"window_frames": 300}, "emotion_features: 188 frames for windows of 300"),
        ("front_end", {"mel_bands": 30}, "emotion_features: 40 coefficients of 30 mel bands"),
        ("front_end", {"mel_bands": 64}, "gender.npz: made for 128 mel bands"),
        ("emotion_features", {"frames": 100}, "emotion_features: 100 frames for windows of 188"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(bundle_copy, section, changes, reason):
    rewrite(bundle_copy, lambda manifest: manifest[section].update(changes))
    assert reason in refusal(bundle_copy)


@pytest.mark.parametrize("temperature", [0, -1.0, "1", None, True])
def test_a_temperature_that_is_no_positive_number_is_refused(bundle_copy, temperature):
    def alter(manifest):
        manifest["experts"]["male"]["temperature"] = temperature

    rewrite(bundle_copy, alter)
    assert refusal(bundle_copy).startswith("manifest.json: experts: male.temperature")


def test_one_experts_missing_temperature_is_refused(bundle_copy):
    rewrite(bundle_copy, lambda manifest: manifest["experts"]["female"].pop("temperature"))
    assert refusal(bundle_copy).startswith("manifest.json: experts: female.temperature")


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_constant_that_is_not_finite_is_refused(bundle_copy, constant):
    path = bundle_copy / "manifest.json"
    path.write_text(path.read_text("utf-8").replace("0.125", constant), "utf-8")
    assert refusal(bundle_copy).endswith(f"{constant} is not a finite number")


def test_a_number_too_large_to_be_finite_is_refused_with_its_place(bundle_copy):
    path = bundle_copy / "manifest.json"
    path.write_text(path.read_text("utf-8").replace("0.125", "[1, 1e999]"), "utf-8")
    place = "metrics.unweighted_average_recall[1]"
    assert refusal(bundle_copy) == f"manifest.json: {place} is not a finite number"


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/hostname", "sub/file", "..", ".", "", "c:\\x", "a\0b", "manifest.json"],
)
def test_a_name_that_leads_out_of_the_bundle_is_refused(bundle_copy, name):
    (bundle_copy.parent / "secret").write_bytes(b"")

    def alter(manifest):
        manifest["files"][name] = {"sha256": "0" * 64, "bytes": 0}

    rewrite(bundle_copy, alter)
    assert refusal(bundle_copy).startswith(f"manifest.json: files: {name!r} is not the plain name")


def test_an_expert_outside_the_listed_files_is_refused(bundle_copy):
    def alter(manifest):
        manifest["experts"]["male"]["file"] = "../male.tflite"

    rewrite(bundle_copy, alter)
    assert "experts.male: file '../male.tflite' is not one of the listed" in refusal(bundle_copy)


def test_experts_of_other_genders_are_refused(bundle_copy):
    def alter(manifest):
        manifest["experts"]["child"] = manifest["experts"].pop("male")

    rewrite(bundle_copy, alter)
    assert refusal(bundle_copy).startswith("manifest.json: experts: ['child', 'female'] instead")


@pytest.mark.parametrize(
    "listed", [None, [], {"bytes": 1}, {"sha256": "0" * 64}, {"sha256": "0" * 64, "bytes": "1"}]
)
def test_a_listing_without_size_or_digest_is_refused(bundle_copy, listed):
    rewrite(bundle_copy, lambda manifest: manifest["files"].update({"CARD.md": listed}))
    assert refusal(bundle_copy).startswith("manifest.json: files: CARD.md needs its")


def test_a_released_file_that_is_no_model_is_refused(bundle_copy):
    (bundle_copy / "male.tflite").write_bytes(b"PK\x03\x04 something else")
    relist(bundle_copy)
    assert refusal(bundle_copy).startswith("male.tflite: not a TFLite model")


@pytest.mark.parametrize("damage", ["no zip", "empty", "an array missing", "a pickle"])
def test_a_released_gate_that_is_none_is_refused_by_name(bundle_copy, damage):
    path = bundle_copy / "gender.npz"
    if damage == "no zip":
        path.write_bytes(b"nothing of the sort")
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "an array missing":
        path.write_bytes(_without_one_array(path.read_bytes()))
    else:
        path.write_bytes(b"\x80\x04K\x01.")  # pickle.dumps(1)
    relist(bundle_copy)
    assert refusal(bundle_copy).startswith("gender.npz: ")


def test_a_manifest_is_not_written_with_numbers_that_are_not_finite(bundle_copy):
    manifest = {**Bundle.load(bundle_copy).manifest, "metrics": {"accuracy": float("nan")}}
    before = (bundle_copy / "manifest.json").read_bytes()
    with pytest.raises(BundleError, match="manifest.json: cannot be written as JSON"):
        write_manifest(bundle_copy, manifest)
    assert (bundle_copy / "manifest.json").read_bytes() == before


def _without_one_array(archive: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist()[1:]:
            target.writestr(name, source.read(name))
    return out.getvalue()
