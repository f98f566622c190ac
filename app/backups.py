"""Keeps what is private out of a phone's backups. On Android, the manifest has said so already."""

from __future__ import annotations

import logging
from pathlib import Path

from app.recorders.platform import platform_name


def keep_out_of_backups(folder: Path) -> bool:
    """Leaves the folder, with all that is in it, out of iCloud's and a computer's backups of iOS.

    Whether it is so now; elsewhere than on iOS there is nothing to do, and the answer is True. A
    refusal is logged, not raised: the app works all the same.
    """
    if platform_name() != "ios":
        return True
    try:
        kept = _exclude(folder)
    except Exception:
        logging.getLogger(__name__).exception("%s may go into the phone's backups", folder)
        return False
    if not kept:
        logging.getLogger(__name__).error("%s may go into the phone's backups", folder)
    return kept


def _exclude(folder: Path) -> bool:
    from pyobjus import objc_b, objc_str

    from app.recorders.ios.objective_c import LOCK, classes, constant

    with LOCK:
        (url_class,) = classes("NSURL")
        key = objc_str(constant("NSURLIsExcludedFromBackupKey"))
        url = url_class.fileURLWithPath_(objc_str(str(folder)))
        return bool(url.setResourceValue_forKey_error_(objc_b(True), key, None))
