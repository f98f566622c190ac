from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_Int8 = npt.NDArray[np.int8]
_Int32 = npt.NDArray[np.int32]

def instruction_sets() -> tuple[str, ...]: ...
def quantise(
    values: npt.NDArray[np.float32], scale: float, zero_point: int, out: _Int8
) -> None: ...

class Operator:
    reach: int
    scratch: int

class Program:
    arena_bytes: int
    scratch_bytes: int
    def __init__(
        self,
        operators: Sequence[Operator],
        source: int,
        source_bytes: int,
        target: int,
        target_bytes: int,
        constants: Iterable[tuple[int, _Int8]] = (),
    ) -> None: ...
    def run(self, values: _Int8, out: _Int8) -> None: ...

class Convolution(Operator):
    def __init__(
        self,
        source: int,
        target: int,
        window: tuple[int, ...],
        weights: _Int8,
        biases: _Int32,
        multipliers: _Int32,
        shifts: _Int32,
        zero_point: int,
        out_zero_point: int,
        low: int,
        high: int,
        instructions: str | None = None,
    ) -> None: ...

class DepthwiseConvolution(Operator):
    def __init__(
        self,
        source: int,
        target: int,
        window: tuple[int, ...],
        weights: _Int8,
        biases: _Int32,
        multipliers: _Int32,
        shifts: _Int32,
        zero_point: int,
        out_zero_point: int,
        low: int,
        high: int,
    ) -> None: ...

class MaxPool(Operator):
    def __init__(
        self, source: int, target: int, window: tuple[int, ...], low: int, high: int
    ) -> None: ...

class AveragePool(Operator):
    def __init__(
        self, source: int, target: int, window: tuple[int, ...], low: int, high: int
    ) -> None: ...

class Mean(Operator):
    def __init__(
        self,
        source: int,
        target: int,
        sizes: tuple[int, int, int],
        before: int,
        multiplier: int,
        shift: int,
        after: int,
    ) -> None: ...

class Maximum(Operator):
    def __init__(self, source: int, target: int, sizes: tuple[int, int, int]) -> None: ...

class Addition(Operator):
    def __init__(
        self,
        first: int,
        second: int,
        target: int,
        sizes: tuple[int, ...],
        first_strides: tuple[int, ...],
        second_strides: tuple[int, ...],
        zero_points: tuple[int, int, int],
        scalings: tuple[tuple[int, int], tuple[int, int], tuple[int, int]],
        low: int,
        high: int,
        instructions: str | None = None,
    ) -> None: ...

class Multiplication(Operator):
    def __init__(
        self,
        first: int,
        second: int,
        target: int,
        sizes: tuple[int, ...],
        first_strides: tuple[int, ...],
        second_strides: tuple[int, ...],
        zero_points: tuple[int, int, int],
        scaling: tuple[int, int],
        low: int,
        high: int,
    ) -> None: ...

class Lookup(Operator):
    def __init__(self, source: int, target: int, n: int, table: _Int8) -> None: ...

class Rearrangement(Operator):
    def __init__(self, target: int, n: int, moves: _Int32, fill: int | None = None) -> None: ...
