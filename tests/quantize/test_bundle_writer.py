"""A bundle is the old one or the new one, whatever happens while it is replaced."""

from __future__ import annotations

import errno
import os
import shutil

import pytest

from edge.bundle import Bundle
from quantize import bundle_writer
from quantize.bundle_writer import recover, write_bundle
from quantize.errors import QuantizeError
from tests.edge.bundles import PLACEHOLDER_MODEL, manifest, random_gate
from tests.quantize.tiny import contents

FILES = {
    "gender.npz": random_gate(),
    "female.tflite": PLACEHOLDER_MODEL,
    "male.tflite": PLACEHOLDER_MODEL + b"other",
    "CARD.md": b"# New\n",
}


def write(out, files=FILES, verify=lambda folder: None):
    write_bundle(out, files, {**manifest(), "name": "new"}, verify)


@pytest.fixture
def old(tmp_path):
    """An older bundle in its place."""
    out = tmp_path / "models" / "default"
    write_bundle(
        out, {**FILES, "CARD.md": b"# Old\n"}, {**manifest(), "name": "old"}, lambda folder: None
    )
    return out


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_first_bundle_is_written_with_its_folders(tmp_path):
    out = tmp_path / "a" / "b" / "models"
    write(out)
    assert Bundle.load(out).name == "new"
    assert names(out.parent) == ["models"]


def test_a_bundle_replaces_another_and_leaves_nothing_beside(old):
    write(old)
    assert Bundle.load(old).name == "new"
    assert names(old.parent) == ["default"]


@pytest.mark.parametrize("failing", ["open", "fsync", "mkdir", "rename"])
def test_a_full_disk_leaves_the_old_bundle_whole(old, failing, monkeypatch):
    before = contents(old)

    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    if failing == "open":
        monkeypatch.setattr(bundle_writer, "_write", full)
    else:
        monkeypatch.setattr(bundle_writer.os, failing, full)
    with pytest.raises(QuantizeError, match="No space left on device.*what was there is unchanged"):
        write(old)
    monkeypatch.undo()
    assert contents(old) == before
    assert names(old.parent) == ["default"]


def test_a_bundle_that_fails_its_verification_does_not_take_the_place(old):
    before = contents(old)

    def refuse(folder):
        assert Bundle.load(folder).name == "new"
        raise QuantizeError("it answers otherwise")

    with pytest.raises(QuantizeError, match="it answers otherwise.*unchanged"):
        write(old, verify=refuse)
    assert contents(old) == before
    assert names(old.parent) == ["default"]


def test_a_bundle_that_does_not_load_does_not_take_the_place(old):
    before = contents(old)
    with pytest.raises(QuantizeError, match="male.tflite"):
        write(old, {**FILES, "male.tflite": b"no model"})
    assert contents(old) == before


@pytest.mark.parametrize("moment", [1, 2])
def test_an_interruption_at_either_rename_keeps_one_whole_bundle(old, moment, monkeypatch):
    before = contents(old)
    rename, calls = os.rename, []

    def interrupted(source, target):
        calls.append(source)
        if len(calls) == moment:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(bundle_writer.os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(old)
    monkeypatch.undo()
    assert contents(old) == before
    assert names(old.parent) == ["default"]


def test_power_lost_between_the_renames_brings_the_old_bundle_back(old):
    before = contents(old)
    shutil.copytree(old, old.with_name(".default.partial"))
    os.rename(old, old.with_name(".default.replaced"))
    recover(old)
    assert contents(old) == before
    assert names(old.parent) == ["default"]


def test_power_lost_after_the_renames_keeps_the_new_bundle(old):
    before = contents(old)
    replaced = old.with_name(".default.replaced")
    shutil.copytree(old, replaced)
    (replaced / "CARD.md").write_text("older still")
    recover(old)
    assert contents(old) == before
    assert names(old.parent) == ["default"]


def test_power_lost_while_writing_leaves_rubbish_that_the_next_one_removes(old):
    partial = old.with_name(".default.partial")
    partial.mkdir()
    (partial / "female.tflite").write_bytes(b"half")
    write(old)
    assert Bundle.load(old).name == "new"
    assert names(old.parent) == ["default"]


def test_a_folder_that_is_no_bundle_is_not_replaced(tmp_path):
    precious = tmp_path / "thesis"
    precious.mkdir()
    (precious / "chapter-1.txt").write_text("years of work")
    with pytest.raises(QuantizeError, match="thesis is no bundle"):
        write(precious)
    assert names(precious) == ["chapter-1.txt"]


def test_a_link_to_a_bundle_stays_a_link(old, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(old, target_is_directory=True)
    write(link)
    assert link.is_symlink()
    assert Bundle.load(link).name == "new"
