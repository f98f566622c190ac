"""Compiled inner loops, built from `kernels/*.pyx`. Private: use `edge.features` and `edge.audio`."""
