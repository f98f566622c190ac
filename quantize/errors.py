"""What stops a quantization."""

from __future__ import annotations

from edge.errors import EdgeError


class QuantizeError(EdgeError):
    """A run cannot be quantized, or its bundle not be written; what was there before is whole."""
