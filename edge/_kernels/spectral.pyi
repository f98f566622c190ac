import numpy as np
import numpy.typing as npt

class LogMelKernel:
    frame_length: int
    bands: int
    def __init__(self, window: npt.ArrayLike, filters: npt.ArrayLike) -> None: ...
    def frames(
        self,
        samples: npt.NDArray[np.float32],
        origin: int,
        hop_length: int,
        out: npt.NDArray[np.float32],
    ) -> None: ...

class CosineKernel:
    bands: int
    coefficients: int
    def __init__(self, bands: int, coefficients: int) -> None: ...
    def frames(
        self, spectrum: npt.NDArray[np.float32], out: npt.NDArray[np.float32]
    ) -> None: ...
