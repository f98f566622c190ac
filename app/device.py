"""What the device says of itself and of its user's wishes."""

from __future__ import annotations

import locale
import logging
import os
import platform
from typing import Any

from app.recorders.platform import platform_name

UI_MODE_NIGHT_MASK, UI_MODE_NIGHT_NO = 0x30, 0x10  # android.content.res.Configuration


def device_name() -> str:
    """For a line that is shared; never anything that tells one device from its like."""
    if platform_name() == "android":
        build, version = _java("android.os.Build"), _java("android.os.Build$VERSION")
        return f"{build.MANUFACTURER} {build.MODEL}, Android {version.RELEASE}"
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def language() -> str:
    """The user's language, as "en" or "de"; "en" where the system does not tell."""
    try:
        if platform_name() == "android":
            return str(_java("java.util.Locale").getDefault().getLanguage())
        if platform_name() == "ios":
            from pyobjus import autoclass

            preferred = autoclass("NSLocale").preferredLanguages().objectAtIndex_(0)
            return str(preferred.UTF8String())[:2]
    except Exception:
        logging.getLogger(__name__).exception("the system does not tell its language")
    name = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return (name or locale.getlocale()[0] or "en")[:2].lower()


def prefers_dark() -> bool:
    """Whether the system is set to a dark theme; True where it does not tell."""
    try:
        if platform_name() == "android":
            activity = _java("org.kivy.android.PythonActivity").mActivity
            mode = activity.getResources().getConfiguration().uiMode
            return bool(mode & UI_MODE_NIGHT_MASK != UI_MODE_NIGHT_NO)
        if platform_name() == "ios":
            from pyobjus import autoclass

            screen = autoclass("UIScreen").mainScreen()
            return int(screen.traitCollection.userInterfaceStyle) != 1  # light
    except Exception:
        logging.getLogger(__name__).exception("the system does not tell its theme")
    return True


def _java(name: str) -> Any:
    from jnius import autoclass

    return autoclass(name)
