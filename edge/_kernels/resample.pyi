import numpy as np
import numpy.typing as npt

def resample(
    samples: npt.NDArray[np.float32],
    origin: int,
    rows: npt.NDArray[np.float32],
    step_in: int,
    step_out: int,
    first: int,
    out: npt.NDArray[np.float32],
) -> None: ...
