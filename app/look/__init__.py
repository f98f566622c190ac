"""Colours, sizes and words: how the screens look, without any screen."""
