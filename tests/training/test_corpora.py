from __future__ import annotations

import logging
import shutil
from collections import Counter

import numpy as np
import pytest

from edge.labels import LABELS
from tests import miniature_corpora as mini
from training.corpora import (
    CORPUS_LABELS,
    CorpusError,
    load_log_mel,
    ravdess,
    read_corpora,
    read_crema_d,
    read_ravdess,
    read_savee,
    read_slr45,
    read_tess,
    savee,
)


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def facts(clip):
    return clip.corpus, clip.name, clip.speaker, clip.gender, clip.emotion


class TestRavdess:
    @pytest.mark.parametrize(
        "inner", ["", "Audio_Speech_Actors_01-24", "Audio_Speech_Actors_01-24/audio"]
    )
    def test_is_read_from_its_actors_folders_wherever_they_unpack(self, tmp_path, inner):
        touch(tmp_path / inner / "Actor_05" / "03-01-06-02-01-02-05.wav")
        touch(tmp_path / inner / "Actor_12" / "03-01-01-01-02-01-12.flac")
        clips = read_ravdess(tmp_path)
        assert [facts(clip) for clip in clips] == [
            ("ravdess", "03-01-01-01-02-01-12", "12", "female", "neutral"),
            ("ravdess", "03-01-06-02-01-02-05", "05", "male", "fearful"),
        ]

    def test_a_second_copy_deeper_down_is_not_read_twice(self, tmp_path):
        touch(tmp_path / "Actor_01" / "03-01-03-01-01-01-01.wav")
        touch(tmp_path / "audio_speech_actors_01-24" / "Actor_01" / "03-01-03-01-01-01-01.wav")
        assert len(read_ravdess(tmp_path)) == 1

    def test_songs_and_video_sound_are_skipped_with_the_reason(self, tmp_path, caplog):
        for name in ("03-01-03-01-01-01-01", "03-02-03-01-01-01-01", "01-01-03-01-01-01-01"):
            touch(tmp_path / "Actor_01" / f"{name}.wav")
        with caplog.at_level(logging.WARNING):
            assert [clip.name for clip in read_ravdess(tmp_path)] == ["03-01-03-01-01-01-01"]
        assert "song" in caplog.text and "03-02-03-01-01-01-01.wav" in caplog.text
        assert "video" in caplog.text and "01-01-03-01-01-01-01.wav" in caplog.text

    def test_songs_alone_are_no_corpus(self, tmp_path):
        touch(tmp_path / "Actor_01" / "03-02-03-01-01-01-01.wav")
        with pytest.raises(CorpusError, match="no recording"):
            read_ravdess(tmp_path)

    def test_every_malformed_file_is_counted_and_the_first_ones_named(self, tmp_path):
        for number in range(7):
            touch(tmp_path / "Actor_01" / f"take{number}.wav")
        touch(tmp_path / "Actor_02" / "03-01-03-01-01-01-01.wav")
        with pytest.raises(CorpusError) as error:
            read_ravdess(tmp_path)
        assert (
            "7 (" in str(error.value)
            and "take0.wav" in str(error.value)
            and "take6.wav" not in str(error.value)
        )
        assert "another actor's folder: 1" in str(error.value)

    def test_one_recording_in_two_formats_is_refused(self, tmp_path):
        for suffix in (".wav", ".flac"):
            touch(tmp_path / "Actor_01" / f"03-01-03-01-01-01-01{suffix}")
        with pytest.raises(CorpusError, match="two files for one recording"):
            read_ravdess(tmp_path)

    def test_hidden_files_and_documents_are_no_recordings(self, tmp_path):
        touch(tmp_path / "Actor_01" / "03-01-03-01-01-01-01.wav")
        touch(tmp_path / "Actor_01" / "._03-01-03-01-01-01-01.wav")
        touch(tmp_path / "Actor_01" / "README.txt")
        assert len(read_ravdess(tmp_path)) == 1

    def test_recordings_that_a_copy_lacks_are_logged(self, tmp_path, caplog):
        touch(tmp_path / "Actor_01" / "03-01-03-01-01-01-01.wav")
        with caplog.at_level(logging.WARNING):
            read_ravdess(tmp_path)
        assert "absent: 1439" in caplog.text

    def test_the_official_corpus_has_1440_recordings(self):
        assert len(set(ravdess.official_names())) == 1440

    def test_a_folder_of_something_else_says_what_is_expected(self, tmp_path):
        touch(tmp_path / "holiday.wav")
        with pytest.raises(CorpusError, match="Actor_01"):
            read_ravdess(tmp_path)

    def test_an_absent_folder_is_named(self, tmp_path):
        with pytest.raises(CorpusError, match="nowhere"):
            read_ravdess(tmp_path / "nowhere")


class TestSavee:
    @pytest.mark.parametrize(
        "name", ["AudioData/DC/sa03.wav", "DC/sa03.wav", "ALL/DC_sa03.wav", "DC_sa03.flac"]
    )
    def test_is_read_in_folders_by_speaker_and_flat(self, tmp_path, name):
        touch(tmp_path / name)
        (clip,) = read_savee(tmp_path)
        assert facts(clip) == ("savee", "DC_sa03", "DC", "male", "sad")

    def test_one_and_two_letter_emotions_are_told_apart(self, tmp_path):
        for name in ("a01", "sa01", "su01", "n30"):
            touch(tmp_path / "AudioData" / "JK" / f"{name}.wav")
        assert [clip.emotion for clip in read_savee(tmp_path)] == [
            "angry",
            "neutral",
            "sad",
            "surprised",
        ]

    @pytest.mark.parametrize("name", ["DC/x01.wav", "DC/a1.wav", "DC/DC_a01.wav", "a01.wav"])
    def test_a_name_that_is_not_of_the_corpus_is_named(self, tmp_path, name):
        touch(tmp_path / "DC" / "a01.wav")
        touch(tmp_path / name)
        with pytest.raises(CorpusError, match=f"not a SAVEE name: 1 .*{name}"):
            read_savee(tmp_path)

    def test_the_official_corpus_has_480_recordings(self):
        assert len(set(savee.official_names())) == 480


class TestTess:
    @pytest.mark.parametrize(
        "name",
        [
            "OAF_angry/OAF_back_angry.wav",
            "TESS Toronto emotional speech set data/OAF_angry/OAF_back_angry.wav",
            "OAF_Angry/OAF_back_angry.wav",
            "OAF_back_angry.opus",
        ],
    )
    def test_is_read_in_folders_by_emotion_and_flat(self, tmp_path, name):
        touch(tmp_path / name)
        (clip,) = read_tess(tmp_path)
        assert facts(clip) == ("tess", "OAF_back_angry", "OAF", "female", "angry")

    @pytest.mark.parametrize(
        "folder",
        ["YAF_pleasant_surprised", "YAF_Pleasant_surprise", "YAF_pleasant_surprise", "YAF_ps"],
    )
    def test_the_folder_of_surprise_has_many_names(self, tmp_path, folder):
        touch(tmp_path / folder / "YAF_back_ps.wav")
        assert [clip.emotion for clip in read_tess(tmp_path)] == ["surprised"]

    def test_the_official_misspelt_speaker_is_the_older_woman(self, tmp_path):
        touch(tmp_path / "OAF_neutral" / "OA_bite_neutral.wav")
        (clip,) = read_tess(tmp_path)
        assert facts(clip) == ("tess", "OAF_bite_neutral", "OAF", "female", "neutral")

    def test_a_file_in_the_folder_of_another_emotion_is_named(self, tmp_path):
        touch(tmp_path / "OAF_angry" / "OAF_back_sad.wav")
        with pytest.raises(CorpusError, match="another speaker or emotion: 1 .*OAF_back_sad"):
            read_tess(tmp_path)

    def test_a_word_that_one_speaker_lacks_in_one_emotion_is_logged(self, tmp_path, caplog):
        mini.write_tess(tmp_path)
        (tmp_path / "YAF_sad" / "YAF_back_sad.wav").unlink()
        with caplog.at_level(logging.WARNING):
            assert len(read_tess(tmp_path)) == 13
        assert "1 (YAF_back_sad)" in caplog.text


class TestSlr45:
    @pytest.mark.parametrize("inner", ["", "ST-AEDS-20180100_1-OS"])
    def test_has_speakers_and_no_emotions(self, tmp_path, inner):
        touch(tmp_path / inner / "f0001_us_f0001_00001.wav")
        touch(tmp_path / inner / "m0002_us_m0002_00103.wav")
        assert [facts(clip) for clip in read_slr45(tmp_path)] == [
            ("slr45", "f0001_us_f0001_00001", "f0001", "female", None),
            ("slr45", "m0002_us_m0002_00103", "m0002", "male", None),
        ]

    def test_a_name_of_two_speakers_is_malformed(self, tmp_path):
        touch(tmp_path / "f0001_us_f0001_00001.wav")
        touch(tmp_path / "f0001_us_f0002_00001.wav")
        with pytest.raises(CorpusError, match="not an SLR45 name: 1"):
            read_slr45(tmp_path)


class TestCremaD:
    ACTORS = {"1001": "male", "1002": "female"}  # noqa: RUF012 - of a test, never changed

    def write_demographics(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "VideoDemographics.csv").write_text(
            '"ActorID","Age","Sex","Race","Ethnicity"\n'
            '1001,51,"Male","",""\n1040,21,"Female","",""\n'
        )

    def test_sound_is_read_with_the_actors_sex_from_the_demographics(self, tmp_path):
        self.write_demographics(tmp_path)
        touch(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
        touch(tmp_path / "AudioWAV" / "1040_ITH_SAD_X.wav")
        clips = read_crema_d(tmp_path)
        assert [facts(clip) for clip in clips] == [
            ("crema-d", "1001_DFA_ANG_XX", "1001", "male", "angry"),
            ("crema-d", "1040_ITH_SAD_X", "1040", "female", "sad"),
        ]
        assert all(clip.sound and clip.frames is None for clip in clips)

    def test_pictures_are_read_with_their_extent(self, tmp_path):
        mini.write_crema_d(tmp_path, self.ACTORS, pictures=True)
        clips = read_crema_d(tmp_path)
        assert len(clips) == 12
        assert all(not clip.sound and clip.frames == 76 and clip.range_db == 80 for clip in clips)

    def test_sound_is_preferred_where_both_are_there(self, tmp_path):
        mini.write_crema_d(tmp_path, self.ACTORS, pictures=True)
        touch(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
        assert [clip.sound for clip in read_crema_d(tmp_path)] == [True]

    def test_recordings_known_to_be_faulty_are_skipped_with_the_reason(self, tmp_path, caplog):
        self.write_demographics(tmp_path)
        touch(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
        touch(tmp_path / "AudioWAV" / "1076_MTI_SAD_XX.wav")
        with caplog.at_level(logging.WARNING):
            assert len(read_crema_d(tmp_path)) == 1
        assert "without any sound: 1" in caplog.text

    def test_absent_demographics_are_named(self, tmp_path):
        touch(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
        with pytest.raises(CorpusError, match="VideoDemographics.csv is absent"):
            read_crema_d(tmp_path)

    def test_actors_that_the_demographics_lack_are_named(self, tmp_path):
        self.write_demographics(tmp_path)
        touch(tmp_path / "AudioWAV" / "1002_DFA_ANG_XX.wav")
        with pytest.raises(CorpusError, match="lacks the actor: 1 .*1002_DFA_ANG_XX"):
            read_crema_d(tmp_path)

    def test_pictures_that_the_table_lists_but_the_folder_lacks_are_named(self, tmp_path):
        mini.write_crema_d(tmp_path, self.ACTORS, pictures=True)
        (tmp_path / "logmel" / "1002_IEO_SAD_XX.png").unlink()
        with pytest.raises(CorpusError, match=r"absent .*1 \(1002_IEO_SAD_XX\)"):
            read_crema_d(tmp_path)

    def test_pictures_without_a_row_in_the_table_are_named(self, tmp_path):
        mini.write_crema_d(tmp_path, self.ACTORS, pictures=True)
        rows = (tmp_path / "logmel.csv").read_text().splitlines()
        (tmp_path / "logmel.csv").write_text("\n".join(rows[:-1]) + "\n")
        with pytest.raises(CorpusError, match="no row in logmel.csv: 1 .*1002_IEO_SAD_XX"):
            read_crema_d(tmp_path)

    @pytest.mark.parametrize("extent", ["0,80.0", "189,80.0", "many,80.0", "100,-1", "100,nan"])
    def test_an_extent_that_cannot_be_is_named(self, tmp_path, extent):
        mini.write_crema_d(tmp_path, self.ACTORS, pictures=True)
        table = (
            (tmp_path / "logmel.csv")
            .read_text()
            .replace("1001_IEO_ANG_XX,76,80.0", f"1001_IEO_ANG_XX,{extent}")
        )
        (tmp_path / "logmel.csv").write_text(table)
        with pytest.raises(CorpusError, match=r"out of range: 1 \(1001_IEO_ANG_XX\)"):
            read_crema_d(tmp_path)

    def test_a_table_without_its_columns_is_named(self, tmp_path):
        mini.write_crema_d(tmp_path, self.ACTORS, pictures=True)
        (tmp_path / "logmel.csv").write_text("clip,frames\n1001_IEO_ANG_XX,76\n")
        with pytest.raises(CorpusError, match="logmel.csv lacks one of the columns"):
            read_crema_d(tmp_path)


class TestLogMel:
    def test_a_picture_equals_the_sound_that_it_was_made_of_to_one_step_of_grey(self, tmp_path):
        actors = {"1001": "male", "1002": "female"}
        mini.write_crema_d(tmp_path / "pictures", actors, pictures=True)
        mini.write_crema_d(tmp_path / "sound", actors)
        for picture, sound in zip(
            read_crema_d(tmp_path / "pictures"), read_crema_d(tmp_path / "sound")
        ):
            drawn, heard = load_log_mel(picture), load_log_mel(sound)
            assert drawn.dtype == heard.dtype == np.float32
            assert drawn.shape == heard.shape == (76, 128)
            difference = np.abs(drawn - heard)
            frame, band = np.unravel_index(difference.argmax(), difference.shape)
            assert (
                difference.max() < 0.5 * 80 / 255 + 0.001
            ), f"{difference.max()} dB at frame {frame}, band {band}"

    def test_is_relative_to_the_loudest_cell(self, tmp_path):
        mini.write_slr45(tmp_path, ["f0001"], takes=1)
        (clip,) = read_slr45(tmp_path)
        log_mel = load_log_mel(clip)
        assert log_mel.max() == 0 and log_mel.min() >= -80

    def test_a_broken_picture_is_named(self, tmp_path):
        mini.write_crema_d(tmp_path, {"1001": "male"}, pictures=True)
        clip, *_ = read_crema_d(tmp_path)
        clip.path.write_bytes(clip.path.read_bytes()[:200])
        with pytest.raises(CorpusError, match=clip.name):
            load_log_mel(clip)

    def test_a_picture_of_another_size_is_named(self, tmp_path):
        from PIL import Image

        mini.write_crema_d(tmp_path, {"1001": "male"}, pictures=True)
        clip, *_ = read_crema_d(tmp_path)
        Image.fromarray(np.zeros((64, 188), np.uint8)).save(clip.path)
        with pytest.raises(CorpusError, match=f"{clip.name}.*128 rows"):
            load_log_mel(clip)


class TestAllCorpora:
    def test_all_that_are_there_are_read_in_a_fixed_order(self, miniature_corpora):
        clips = read_corpora(miniature_corpora)
        assert list(dict.fromkeys(clip.corpus for clip in clips)) == [
            "ravdess",
            "savee",
            "tess",
            "crema-d",
            "slr45",
        ]
        assert {clip.emotion for clip in clips} == {*LABELS, None}

    def test_each_has_the_labels_that_it_is_said_to_have(self, miniature_corpora):
        for corpus, labels in CORPUS_LABELS.items():
            clips = read_corpora(miniature_corpora, [corpus])
            assert {clip.emotion for clip in clips} - {None} == set(labels)
            assert sorted(labels, key=LABELS.index) == list(labels)

    def test_named_ones_alone_are_read(self, miniature_corpora):
        assert {clip.corpus for clip in read_corpora(miniature_corpora, ["savee", "tess"])} == {
            "savee",
            "tess",
        }

    def test_the_case_of_a_folder_is_of_no_matter(self, tmp_path):
        touch(tmp_path / "SAVEE" / "AudioData" / "DC" / "a01.wav")
        assert len(read_corpora(tmp_path, ["savee"])) == 1

    def test_an_absent_corpus_is_logged_and_refused_when_it_was_named(
        self, miniature_corpora, tmp_path, caplog
    ):
        shutil.copytree(miniature_corpora / "savee", tmp_path / "savee")
        with caplog.at_level(logging.WARNING):
            assert {clip.corpus for clip in read_corpora(tmp_path)} == {"savee"}
        assert "ravdess" in caplog.text
        with pytest.raises(CorpusError, match="absent from .*: tess"):
            read_corpora(tmp_path, ["savee", "tess"])

    def test_an_unknown_corpus_and_an_empty_folder_are_refused(self, miniature_corpora, tmp_path):
        with pytest.raises(CorpusError, match="no reader for emodb"):
            read_corpora(miniature_corpora, ["emodb"])
        with pytest.raises(CorpusError, match="absent from"):
            read_corpora(tmp_path)
        with pytest.raises(CorpusError, match="there is no folder"):
            read_corpora(tmp_path / "nowhere")


class TestRealCorpora:
    def test_have_the_published_counts(self, corpora):
        clips = read_corpora(corpora)
        counts = Counter(clip.corpus for clip in clips)
        assert counts["ravdess"] == 1440 and counts["savee"] == 480 and counts["tess"] == 2800
        assert counts["slr45"] == 480 and counts["crema-d"] >= 5869
        speakers = {(clip.corpus, clip.speaker): clip.gender for clip in clips}
        assert Counter((corpus, gender) for (corpus, _), gender in speakers.items()) >= Counter(
            {
                ("ravdess", "female"): 12,
                ("ravdess", "male"): 12,
                ("savee", "male"): 4,
                ("tess", "female"): 2,
            }
        )

    def test_one_clip_of_each_has_a_log_mel(self, corpora):
        pytest.importorskip("soundfile")
        first = {clip.corpus: clip for clip in read_corpora(corpora)}
        for clip in first.values():
            log_mel = load_log_mel(clip)
            assert log_mel.shape[1] == 128 and len(log_mel) > 30, clip
            assert log_mel.max() == pytest.approx(0, abs=1e-6) and log_mel.min() >= -80.001, clip
