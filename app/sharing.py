"""The system's share sheet; where there is none, a folder and the clipboard."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Protocol

from app.recorders.platform import platform_name

DOWNLOADS_SINCE = 29  # the API level of MediaStore.Downloads
CHUNK = 1 << 16


class SharingFailed(Exception):  # noqa: N818 - it names what happened
    """The system has no way to share this."""


class Sharing(Protocol):
    """Gives away what the user asked to give away, and nothing else."""

    def text(self, text: str) -> str | None:
        """Offers a line of text; returns "clipboard" if that is where it went."""

    def file(self, path: Path) -> Path | None:
        """Offers a file; returns where it was saved, if there is no sheet.

        Raises SharingFailed, OSError.
        """


def platform_sharing(folder: Path | None = None) -> Sharing:
    """That of this platform; folder: where a desktop saves, None for the downloads."""
    if platform_name() == "android":
        return AndroidSharing()
    if platform_name() == "ios":
        return IosSharing()
    return DesktopSharing(folder or downloads())


def downloads() -> Path:
    """Where a desktop's user looks for files."""
    named = os.environ.get("XDG_DOWNLOAD_DIR")
    folder = Path(named) if named else Path.home() / "Downloads"
    return folder if folder.is_dir() else Path.home()


class DesktopSharing:
    """Saves files in a folder, and puts text on the clipboard."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def text(self, text: str) -> str | None:
        from kivy.core.clipboard import Clipboard

        Clipboard.copy(text)
        return "clipboard"

    def file(self, path: Path) -> Path | None:
        target = self._folder / path.name
        number = 2
        while target.exists():
            target = self._folder / f"{path.stem}-{number}{path.suffix}"
            number += 1
        shutil.copyfile(path, target)
        return target


class AndroidSharing:
    """`Intent.ACTION_SEND`; a file goes to the downloads first, whose address others may read.

    An address inside the app's private folder would need a provider in the manifest, and the
    support library with it.
    """

    def text(self, text: str) -> str | None:
        intent = self._intent("text/plain")
        intent.putExtra(_java("android.content.Intent").EXTRA_TEXT, _java_string(text))
        self._show(intent)
        return None

    def file(self, path: Path) -> Path | None:
        if _java("android.os.Build$VERSION").SDK_INT < DOWNLOADS_SINCE:
            raise SharingFailed("sharing a file needs Android 10 or newer")
        uri = self._into_downloads(path)
        intent = self._intent("application/zip")
        kind = _java("android.content.Intent")
        intent.putExtra(kind.EXTRA_STREAM, _cast("android.os.Parcelable", uri))
        intent.addFlags(kind.FLAG_GRANT_READ_URI_PERMISSION)
        self._show(intent)
        return None

    def _into_downloads(self, path: Path) -> Any:
        values = _java("android.content.ContentValues")()
        values.put("_display_name", _java_string(path.name))
        values.put("mime_type", _java_string("application/zip"))
        resolver = self._activity().getContentResolver()
        uri = resolver.insert(
            _java("android.provider.MediaStore$Downloads").EXTERNAL_CONTENT_URI, values
        )
        if uri is None:
            raise SharingFailed("the system takes no file into its downloads")
        stream = resolver.openOutputStream(uri)
        try:
            with open(path, "rb") as file:
                while chunk := file.read(CHUNK):
                    stream.write(chunk)
        finally:
            stream.close()
        return uri

    def _intent(self, kind: str) -> Any:
        intent_class = _java("android.content.Intent")
        intent = intent_class(intent_class.ACTION_SEND)
        intent.setType(kind)
        return intent

    def _show(self, intent: Any) -> None:
        chooser = _java("android.content.Intent").createChooser(
            intent, _cast("java.lang.CharSequence", _java_string("Edge SER"))
        )
        self._activity().startActivity(chooser)

    def _activity(self) -> Any:
        return _java("org.kivy.android.PythonActivity").mActivity


class IosSharing:
    """`UIActivityViewController`, over the window's root."""

    def text(self, text: str) -> str | None:
        self._show(_objc("NSString").stringWithUTF8String_(text))
        return None

    def file(self, path: Path) -> Path | None:
        name = _objc("NSString").stringWithUTF8String_(str(path))
        self._show(_objc("NSURL").fileURLWithPath_(name))
        return None

    def _show(self, item: Any) -> None:
        items = _objc("NSMutableArray").alloc().init()
        items.addObject_(item)
        sheet = _objc("UIActivityViewController").alloc()
        sheet = sheet.initWithActivityItems_applicationActivities_(items, None)
        root = _objc("UIApplication").sharedApplication().keyWindow.rootViewController()
        popover = sheet.popoverPresentationController()
        if popover is not None:  # an iPad refuses a sheet that comes from nowhere
            popover.setSourceView_(root.view)
        root.presentViewController_animated_completion_(sheet, True, None)


def _java(name: str) -> Any:
    from jnius import autoclass

    return autoclass(name)


def _java_string(text: str) -> Any:
    return _java("java.lang.String")(text)


def _cast(name: str, value: Any) -> Any:
    from jnius import cast

    return cast(name, value)


def _objc(name: str) -> Any:
    from pyobjus import autoclass

    return autoclass(name)
