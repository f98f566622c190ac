"""What is private stays out of the backups of iOS, by the stand-in for pyobjus."""

from __future__ import annotations

import logging
import sys

import pytest

from app.backups import keep_out_of_backups
from tests.app.recorders.fake_pyobjus import Iphone


@pytest.fixture
def iphone(monkeypatch, tmp_path):
    phone = Iphone(tmp_path)
    phone.symbols["NSURLIsExcludedFromBackupKey"] = "the key's own text"
    for name, fake in phone.modules.items():
        monkeypatch.setitem(sys.modules, name, fake)
    monkeypatch.setenv("KIVY_BUILD", "ios")
    return phone


def test_the_folder_gets_the_attribute_that_backups_heed(iphone, tmp_path):
    assert keep_out_of_backups(tmp_path)
    assert iphone.resource_values == {(str(tmp_path), "the key's own text"): True}


def test_a_refusal_is_logged_and_hinders_nothing(iphone, tmp_path, caplog):
    iphone.takes_resource_values = False
    assert not keep_out_of_backups(tmp_path)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert str(tmp_path) in caplog.text


def test_an_error_of_the_bridge_is_logged_and_hinders_nothing(iphone, tmp_path, caplog):
    del iphone.classes["NSURL"]
    assert not keep_out_of_backups(tmp_path)
    assert str(tmp_path) in caplog.text


def test_elsewhere_nothing_is_to_be_done(monkeypatch, tmp_path):
    monkeypatch.delenv("KIVY_BUILD", raising=False)
    monkeypatch.setitem(sys.modules, "pyobjus", None)  # an import of it would fail
    assert keep_out_of_backups(tmp_path)
