"""The quantization room: float experts in, a proven int8 bundle out, or a refusal that says why."""
