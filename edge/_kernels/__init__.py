"""Compiled inner loops, of `kernels/*.pyx`. Private: use `edge.features` and `edge.audio`."""
