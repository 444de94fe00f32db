"""The benchmarks' own programs: that they are the model, and say what they measure."""
