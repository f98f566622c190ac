"""Polyphase resampler (being written)."""
