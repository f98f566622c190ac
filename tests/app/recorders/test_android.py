"""The Android recorder by the real pyjnius, on a Java machine with classes of Android's names."""

from __future__ import annotations

import importlib.util
import re

import numpy as np
import pytest

from tests.app.recorders import android_scenarios as scenarios

CHUNK = 800  # samples of 50 ms at 16 kHz


@pytest.fixture(scope="module")
def sound(speech):
    """One second of speech, (16000,) int16."""
    return (speech("female", seconds=1.0)[:16000] * 20000).astype(np.int16)


def test_the_sound_arrives_bit_by_bit_as_it_was_heard(on_phone, sound):
    seen = on_phone(scenarios.record, sound)
    np.testing.assert_array_equal(seen.sound, sound)
    assert seen.sound.dtype == np.int16
    assert seen.sample_rate == 16000
    assert set(seen.lengths) == {CHUNK}
    assert seen.states == ["OPEN", "CLOSED"]
    assert (seen.overruns, seen.unreleased, seen.error) == (0, 0, "")


def test_a_sine_of_full_scale_keeps_its_sign_and_frequency(on_phone):
    sine = np.rint(32767 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)).astype(np.int16)
    heard = on_phone(scenarios.record, sine).sound
    assert (heard.min(), heard.max()) == (-32767, 32767)
    spectrum = np.abs(np.fft.rfft(heard / 32768))
    assert spectrum.argmax() == 1000  # hertz, of one second
    assert np.delete(spectrum, 1000).max() < 1e-3 * spectrum[1000]


def test_its_thread_takes_the_priority_of_sound_and_gives_everything_back(on_phone, sound):
    assert on_phone(scenarios.record, sound).log == [
        "request focus 4",
        "new AudioRecord 6 16000 32000",
        "startRecording",
        "priority -19",
        "stop",
        "release",
        "abandon focus",
    ]


def test_without_direct_memory_the_same_sound_is_copied(on_phone, sound):
    seen = on_phone(scenarios.record_by_copies, sound)
    np.testing.assert_array_equal(seen.sound, sound)


def test_chunks_are_the_readers_own_and_direct_memory_is_preferred(on_phone, sound):
    kinds = on_phone(scenarios.sound_of_each_kind, sound)
    assert kinds.pop("best") == "DirectSound"
    assert set(kinds) == {"DirectSound", "CopiedSound"}
    for chunks in kinds.values():
        np.testing.assert_array_equal(np.concatenate(chunks), sound[: 3 * CHUNK])


@pytest.mark.parametrize(
    ("library", "getter", "kind"),
    [
        ("libSDL2.so", "SDL_AndroidGetJNIEnv", "DirectSound"),
        ("libSDL3.so", "SDL_GetAndroidJNIEnv", "DirectSound"),
        ("libSDL3.so", "SDL_of_another_name", "CopiedSound"),
        ("none.so", "", "CopiedSound"),
    ],
)
def test_where_pyjnius_hides_its_machine_sdl_tells_it(on_phone, library, getter, kind):
    told = on_phone(scenarios.record_as_sdl_tells, library, getter)
    assert told["kind"] == kind
    assert told["asked"][0] == "libSDL3.so"


@pytest.mark.parametrize(("rates", "expected"), [([44100, 48000], 48000), ([44100], 44100)])
def test_a_phone_without_16_khz_gives_its_own_rate(on_phone, sound, rates, expected):
    whole = sound[: 6 * expected // 20]  # so many chunks of 50 ms
    seen = on_phone(scenarios.record, whole, rates=rates)
    assert seen.sample_rate == expected
    np.testing.assert_array_equal(seen.sound, whole)


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ({}, 6),  # VOICE_RECOGNITION
        ({"sources": [1, 9]}, 9),  # UNPROCESSED
        ({"sources": [1, 9], "unprocessed": "false"}, 1),  # MIC
        ({"sources": [1, 9], "sdk": 21}, 1),  # a phone that does not know UNPROCESSED
    ],
)
def test_the_least_processed_source_that_works_is_used(on_phone, sound, settings, source):
    seen = on_phone(scenarios.record, sound, **settings)
    made = [line for line in seen.log if line.startswith("new AudioRecord")]
    assert made[-1].split()[2] == str(source)
    assert seen.unreleased == 0
    np.testing.assert_array_equal(seen.sound, sound)


def test_the_buffer_is_a_second_or_twice_what_the_phone_needs(on_phone, sound):
    for needed, expected in ((1280, 32000), (40000, 80000)):
        seen = on_phone(scenarios.record, sound, minBufferSize=needed)
        assert seen.log[1].split()[-1] == str(expected)


def test_short_reads_lose_nothing(on_phone, sound):
    seen = on_phone(scenarios.record, sound, longestRead=500)
    assert set(seen.lengths) == {250}
    np.testing.assert_array_equal(seen.sound, sound)


@pytest.mark.parametrize("sdk", [21, 23, 24, 26, 29, 36])
def test_every_android_records_by_what_it_has(on_phone, sound, sdk):
    seen = on_phone(scenarios.record, sound, sdk=sdk)
    np.testing.assert_array_equal(seen.sound, sound)
    assert seen.log[0].startswith("request focus 4")
    assert seen.log[-1] == "abandon focus"


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"hasMicrophone": False}, "MicrophoneMissing", "connect one"),
        ({"busy": True}, "MicrophoneBusy", "close it, then record again"),
        ({"busy": True, "mode": 3}, "MicrophoneBusy", "call.*end it"),
        ({"refusedStarts": 99}, "MicrophoneBusy", "close it, then record again"),
        ({"grantsFocus": False}, "MicrophoneBusy", "call.*end it"),
        ({"rates": [8000]}, "UnsupportedFormat", "16000, 48000, 44100 Hz"),
        ({"minBufferSize": -1}, "UnsupportedFormat", "16000, 48000, 44100 Hz"),
        ({"granted": False}, "PermissionDenied", "allow it to record"),
    ],
)
def test_a_microphone_that_cannot_be_had_says_why(on_phone, sound, settings, error, message):
    seen = on_phone(scenarios.record, sound, **settings)
    assert seen.error == error
    assert re.search(message, seen.message)
    assert seen.more["state"] == "FAILED"
    assert seen.unreleased == 0
    if "request focus 4" in seen.log and settings.get("grantsFocus", True):
        assert seen.log[-1] == "abandon focus"


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (-1, "MicrophoneLost", "ERROR"),
        (-2, "UnsupportedFormat", "ERROR_BAD_VALUE"),
        (-3, "MicrophoneLost", "ERROR_INVALID_OPERATION"),
        (-77, "MicrophoneLost", "code -77"),
    ],
)
def test_each_code_of_a_failing_read_is_its_own_error(on_phone, sound, code, error, message):
    seen = on_phone(scenarios.record, sound, failures={4: code})
    assert seen.error == error
    assert message in seen.message
    assert seen.more == {"state": "FAILED", "kept": seen.message}
    np.testing.assert_array_equal(seen.sound, sound[: 3 * CHUNK])
    assert seen.states == ["OPEN", "FAILED", "CLOSED"]
    assert seen.unreleased == 0


def test_a_dead_sound_service_is_followed_to_the_new_one(on_phone, sound):
    seen = on_phone(scenarios.record, sound, failures={5: -6, 9: -6})
    np.testing.assert_array_equal(seen.sound, sound)
    assert seen.states == ["OPEN", "CLOSED"]
    assert sum(line.startswith("new AudioRecord") for line in seen.log) == 3
    assert seen.unreleased == 0


def test_a_dead_microphone_that_another_app_has_then_is_lost(on_phone, sound):
    seen = on_phone(scenarios.die_without_revival, sound)
    assert seen.error == "MicrophoneLost"
    assert "Another app" in seen.message
    np.testing.assert_array_equal(seen.sound, sound[: 2 * CHUNK])
    assert seen.unreleased == 0


def test_a_service_that_dies_again_and_again_is_given_up(on_phone, sound):
    seen = on_phone(scenarios.die_again_and_again, sound)
    assert seen.error == "MicrophoneLost"
    assert seen.more["made"] == 4
    assert seen.unreleased == 0


def test_a_pause_is_not_in_the_recording(on_phone, sound):
    seen = on_phone(scenarios.pause_and_resume, sound)
    assert seen.more == {"paused": "PAUSED", "resumed": "OPEN"}
    np.testing.assert_array_equal(seen.sound, np.concatenate([sound[:3200], sound[4800:6400]]))
    assert seen.states == ["OPEN", "PAUSED", "OPEN", "CLOSED"]


def test_pausing_and_resuming_at_once_loses_nothing(on_phone, sound):
    seen = on_phone(scenarios.resume_at_once_a_hundred_times, sound)
    assert seen.more["state"] == "OPEN"
    np.testing.assert_array_equal(seen.sound, sound)


@pytest.mark.parametrize(("sdk", "busy_at_first"), [(34, 0), (24, 0), (34, 2)])
def test_a_call_interrupts_and_the_recording_goes_on_after_it(on_phone, sound, sdk, busy_at_first):
    seen = on_phone(scenarios.be_interrupted, sound, sdk, busy_at_first)
    assert seen.states == ["OPEN", "PAUSED", "OPEN", "CLOSED"]
    assert seen.more == {"interrupted": True, "after": False}
    np.testing.assert_array_equal(seen.sound, sound[:3200])


def test_focus_lost_for_long_waits_for_the_owner(on_phone, sound):
    seen = on_phone(scenarios.lose_the_focus_for_long, sound)
    assert seen.more == {"interrupted": False, "still": "PAUSED"}
    assert seen.states == ["OPEN", "PAUSED", "OPEN", "CLOSED"]
    np.testing.assert_array_equal(seen.sound, sound[:3200])


def test_a_pause_during_a_call_holds_after_it(on_phone, sound):
    seen = on_phone(scenarios.pause_in_an_interruption, sound)
    assert seen.more == {"state": "PAUSED", "interrupted": False, "listens": False}


def test_resuming_during_a_call_is_refused_and_stays_paused(on_phone, sound):
    seen = on_phone(scenarios.resume_in_a_call, sound)
    (call, in_call), (other, in_other) = seen.more["refusals"]
    assert "call" in call and "Another app" in other
    assert in_call == in_other == "PAUSED"
    assert seen.states == ["OPEN", "PAUSED", "OPEN", "CLOSED"]
    np.testing.assert_array_equal(seen.sound, sound[:2400])


def test_silence_by_android_is_an_interruption_and_not_recorded(on_phone, sound):
    seen = on_phone(scenarios.be_silenced, sound)
    assert seen.more == {"interrupted": True, "route": "Headset (7)"}
    assert seen.states == ["OPEN", "PAUSED", "OPEN", "CLOSED"]
    np.testing.assert_array_equal(seen.sound, np.concatenate([sound[:1600], sound[2400:4800]]))


def test_a_microphone_that_gives_nothing_any_more_is_lost(on_phone, sound):
    seen = on_phone(scenarios.fall_silent_for_ever, sound)
    assert seen.error == "MicrophoneLost"
    assert "no sound any more" in seen.message


def test_reads_that_come_too_late_for_the_buffer_are_overruns(on_phone, sound):
    assert on_phone(scenarios.be_late, sound, [0.1, 1.5, 0.9, 2.0, 0.1]).overruns == 2
    assert on_phone(scenarios.be_late, sound, [0.1, 0.9, 0.9, 0.9, 0.1]).overruns == 0


def test_sound_that_nobody_reads_is_dropped_and_counted(on_phone, sound):
    seen = on_phone(scenarios.let_nobody_read, np.tile(sound, 12))
    assert len(seen.sound) == 10 * 16000
    assert seen.overruns == 2 * 16000 // CHUNK


def test_closing_from_many_threads_ends_a_read_that_waits(on_phone, sound):
    seen = on_phone(scenarios.close_from_many_threads, sound)
    assert seen.more["state"] == "CLOSED"
    assert seen.states == ["OPEN", "CLOSED"]
    assert seen.log.count("release") == 1
    assert seen.unreleased == 0


def test_a_hundred_rounds_leave_nothing_behind(on_phone, sound):
    counts = on_phone(scenarios.open_and_close, sound, rounds=100)
    before, after = counts["before"], counts["after"]
    assert counts["rounds"] == 300
    for count in ("java_threads", "python_threads", "files", "unreleased"):
        assert after[count] <= before[count], count
    assert after["blocks"] - before["blocks"] < 100  # less than one object of a round
    # One recording is 32 kB.
    assert after["heap"] - before["heap"] < 500_000
    assert after["resident"] - before["resident"] < 100 * sound.nbytes * 2


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(True, False, False)], ["GRANTED"]),
        # Refused, explained and refused again: then Android asks no more.
        ([(False, True, False), (False, False, False)], ["DENIED", "DENIED_FOR_EVER"]),
        ([(False, True, False), (True, False, False)], ["DENIED", "GRANTED"]),
        # The question was waved away: no refusal yet.
        ([(False, False, False)], ["DENIED"]),
        ([(False, False, True)], ["DENIED"]),
        # Granted in the settings after all, and asked again.
        ([(True, False, False), (True, False, False)], ["GRANTED", "GRANTED"]),
    ],
)
def test_permission_is_asked_for_and_denial_for_ever_is_known(on_phone, answers, expected):
    if importlib.util.find_spec("pythonforandroid") is None:
        pytest.skip("python-for-android, whose android.permissions is asked, is not installed")
    told = on_phone(scenarios.ask_for_permission, answers)
    assert told["answers"] == expected
    assert told["has_permission"] is (expected[-1] == "GRANTED")
    kind = told["open"].split(" ")[:2]
    if expected[-1] == "GRANTED":
        assert kind == [""]
    else:
        assert kind == ["PermissionDenied", str(expected[-1] == "DENIED_FOR_EVER")]


def test_it_is_to_be_explained_only_after_a_refusal(on_phone):
    if importlib.util.find_spec("pythonforandroid") is None:
        pytest.skip("python-for-android, whose android.permissions is asked, is not installed")
    answers = [(False, True, False), (False, False, False), (True, False, False)]
    assert on_phone(scenarios.ask_for_permission, answers)["explained"] == [False, True, False]


def test_old_androids_grant_at_installation(on_phone):
    assert on_phone(scenarios.ask_for_permission, [(True, False, False)], sdk=21) == {
        "answers": ["GRANTED"],
        "explained": [False],
        "has_permission": True,
        # These phones have no such question, so this one that denies has no microphone to give.
        "open": "MicrophoneBusy  Another app is using the microphone; close it, then record again. "
        "If none is, restart the phone.",
    }


def test_the_settings_of_the_app_are_shown(on_phone):
    assert on_phone(scenarios.show_settings) == [
        "start android.settings.APPLICATION_DETAILS_SETTINGS package:org.example.app"
    ]
