"""The screens. Each is built for one look, and built anew for another."""
