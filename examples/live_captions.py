"""Live captions of how somebody sounds: python examples/live_captions.py [RECORDING]

Listens to the microphone (pip install sounddevice) until Ctrl-C, or to a recording instead. The
caption of the moment is written again and again; one that is over stays, with its times.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext

import numpy as np

from edge import Decision, Recognizer, SegmentEnded, Stream, TurnEnded, read_audio
from edge.microphone import Microphone


def main() -> None:
    """Captions the recording that the command line names, or the microphone."""
    recognizer = Recognizer()
    if len(sys.argv) > 1:
        samples, sample_rate = read_audio(sys.argv[1])
        blocks = nullcontext(cut(samples, sample_rate // 10))
    else:
        blocks = Microphone()
        sample_rate = blocks.sample_rate
    with recognizer.stream(sample_rate) as stream:
        try:
            with blocks as arriving:
                for block in arriving:
                    stream.accept_waveform(block)
                    show(stream)
        except KeyboardInterrupt:
            pass
        stream.input_finished()
        show(stream)


def cut(samples: np.ndarray, length: int) -> Iterator[np.ndarray]:
    """The samples in pieces, as a microphone would give them."""
    for begin in range(0, len(samples), length):
        yield samples[begin : begin + length]


def show(stream: Stream) -> None:
    """Prints what the stream has to tell."""
    for event in stream.poll():
        if isinstance(event, Decision):
            doubt = "?" if event.uncertain else ""
            probability = event.probabilities[event.emotion]
            caption = f"{event.gender} sounds {event.emotion}{doubt} ({probability:.0%})"
            print(f"\r{caption:<60}", end="", flush=True)
        elif isinstance(event, SegmentEnded):
            segment = event.segment
            span = f"{segment.start:6.1f} - {segment.end:.1f} s"
            print(f"\r{f'[{span}]  {segment.gender} sounded {segment.emotion}':<60}")
        elif isinstance(event, TurnEnded):
            print()


if __name__ == "__main__":
    main()
