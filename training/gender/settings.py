"""What a gender gate is trained with."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable

from edge.errors import SettingsError
from edge.gender import Voicing
from training.acoustics import AcousticSettings

GENDERS = ("male", "female")  # the index is the target


@dataclasses.dataclass(frozen=True)
class GateSettings:
    """How a gate is trained; what edge needs of it goes into gender.npz."""

    seed: int = 1
    active_db: float = -50.0  # a recording's active span, relative to its loudest cell
    window_hop_frames: int = 94  # windows of one recording begin this far apart
    voicing: Voicing = Voicing()
    floor_db: float = -60.0  # below a frame's loudness
    # Network
    projection: int = 24  # coordinates of one frame
    context: tuple[int, ...] = (-6, -3, 0, 3, 6)  # neighbours, in frames of 16 ms
    hidden: int = 48
    bottleneck: int = 10
    steps: int = 14000
    batch: int = 48  # crops of a step
    crop_frames: int = 96
    learning_rate: float = 2e-3  # falls to 0 along a cosine
    weight_decay: float = 0.01
    pooled: bool = True  # join the mean over the voiced frames to each
    dropout: float = 0.2  # of hidden units
    band_dropout: float = 0.1  # of a crop's mel bands, whole
    frame_loss: float = 0.3  # weight of the single frames' loss
    vote_scale: float = 2.0  # of the mean over frames before its logistic loss
    label_smoothing: float = 0.025
    # Perturbation of training crops
    equaliser_db: float = 2.0  # standard deviation of each of five smooth shapes
    noise_db: tuple[float, float] = (-85.0, -40.0)  # noise floor against the loudest cell
    warp: float = 0.02  # largest change of the frequency scale
    # Copies of training clips in bad acoustics, beside them
    copies: int = 5
    acoustics: AcousticSettings = AcousticSettings(
        noise_share=0.85, noise_snr_db=(0.0, 30.0), hiss_slope=(-6.0, 1.5)
    )
    # Mixtures
    discriminant: int = 4  # dimensions of the mixtures
    components: tuple[int, ...] = (2, 4, 8, 16)
    covariances: tuple[str, ...] = ("full", "diag")
    frames_per_speaker: int = 2500
    ratio_limit: float = 8.0  # a frame's log-likelihood ratio is held within
    # Calibration
    turn_clips: int = 5  # clips of a speaker that make a long turn

    def changed(self, assignments: Iterable[str]) -> GateSettings:
        """These settings with some changed: each "name=JSON" or "voicing.name=JSON", for example.

        SettingsError names an assignment that is malformed or of no setting.
        """
        settings = self
        for assignment in assignments:
            path, _, text = assignment.partition("=")
            group, _, name = path.rpartition(".")
            holder = {
                "": settings, "voicing": settings.voicing, "acoustics": settings.acoustics
            }.get(group)
            if holder is None or name not in {field.name for field in dataclasses.fields(holder)}:
                raise SettingsError(f"the gender gate has no setting {path!r}")
            try:
                value = json.loads(text)
            except ValueError as error:
                raise SettingsError(f"{assignment!r} is not NAME=JSON: {error}") from error
            if isinstance(value, list):
                value = tuple(value)
            if not isinstance(value, type(getattr(holder, name))):
                raise SettingsError(
                    f"{path} is {getattr(holder, name)!r} by default and cannot be {value!r}"
                )
            holder = dataclasses.replace(holder, **{name: value})
            settings = dataclasses.replace(settings, **{group: holder}) if group else holder
        return settings
