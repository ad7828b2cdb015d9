"""What the benchmarks share. Python 3.8, its standard library, and git."""
