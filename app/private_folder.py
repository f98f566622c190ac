"""The folder that the platform keeps for the app alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from app.recorders.platform import platform_name


def private_folder(app: Any) -> Path:
    """Kivy's choice for the app, with all that it lies in; OSError when it cannot be made."""
    if platform_name() == "desktop" and sys.platform == "linux":
        # Kivy makes no more than the last folder, and a new account has nothing for settings yet.
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
        settings.mkdir(parents=True, exist_ok=True)
    return Path(app.user_data_dir)
