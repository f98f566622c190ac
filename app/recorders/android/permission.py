"""The permission to record, asked for while the app runs."""

from __future__ import annotations

from typing import Any, Callable

from app.recorders.recorder import Permission

RUNTIME_PERMISSIONS_SINCE = 23
_PREFERENCES = "app.recorders"
_WAS_DENIED = "microphone_was_denied"
_DENIED_FOR_EVER = "microphone_was_denied_for_ever"


class MicrophonePermission:
    """Whether the app may record, and the question for it.

    Android never says that an app may not ask again. But it then denies without a word, and sees no
    reason to explain any more, once the app was denied before: which is remembered in the app's
    preferences. (No reason to explain after the first denial means that the question was waved
    away.)
    """

    def __init__(self, activity: Any, sdk: int) -> None:
        from jnius import autoclass

        self._activity = activity
        self._sdk = sdk
        self._name: str = autoclass("android.Manifest$permission").RECORD_AUDIO
        self._granted: int = autoclass("android.content.pm.PackageManager").PERMISSION_GRANTED
        self._private: int = autoclass("android.content.Context").MODE_PRIVATE

    def is_granted(self) -> bool:
        """Whether the app may record now."""
        if self._sdk < RUNTIME_PERMISSIONS_SINCE:
            return True
        return bool(self._activity.checkSelfPermission(self._name) == self._granted)

    def should_explain(self) -> bool:
        """Whether Android would have the app say first why it asks."""
        if self._sdk < RUNTIME_PERMISSIONS_SINCE or self.is_granted():
            return False
        return bool(self._activity.shouldShowRequestPermissionRationale(self._name))

    def denied_for_ever(self) -> bool:
        """Whether Android would deny without a question, as far as can be known."""
        return (
            not self.is_granted()
            and self._remembers(_DENIED_FOR_EVER)
            and not self.should_explain()
        )

    def request(self, answered: Callable[[Permission], None]) -> None:
        """Shows the system's question, unless it is granted; `answered` is called once."""
        if self.is_granted():
            answered(Permission.GRANTED)
            return
        from android.permissions import request_permissions  # of python-for-android

        before = self._remembers(_WAS_DENIED)
        waiting = [answered]

        def result(permissions: list[str], granted: list[bool]) -> None:
            if waiting:
                # An interrupted question comes back with empty lists: what holds is the permission.
                waiting.pop()(self._answer(before))

        request_permissions([self._name], result)

    def _answer(self, was_denied: bool) -> Permission:
        granted = self.is_granted()
        for_ever = not granted and was_denied and not self.should_explain()
        self._remember({_WAS_DENIED: not granted, _DENIED_FOR_EVER: for_ever})
        if granted:
            return Permission.GRANTED
        return Permission.DENIED_FOR_EVER if for_ever else Permission.DENIED

    def _preferences(self) -> Any:
        return self._activity.getSharedPreferences(_PREFERENCES, self._private)

    def _remembers(self, key: str) -> bool:
        return bool(self._preferences().getBoolean(key, False))

    def _remember(self, values: dict[str, bool]) -> None:
        editor = self._preferences().edit()
        for key, value in values.items():
            editor.putBoolean(key, value)
        editor.apply()


def open_app_settings(activity: Any) -> None:
    """Shows Android's own page of this app, where its permissions are switched."""
    from jnius import autoclass

    settings = autoclass("android.provider.Settings")
    uri = autoclass("android.net.Uri").fromParts("package", activity.getPackageName(), None)
    intent = autoclass("android.content.Intent")(settings.ACTION_APPLICATION_DETAILS_SETTINGS)
    intent.setData(uri)
    activity.startActivity(intent)
