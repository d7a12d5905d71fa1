"""The benchmarks: `python -m bench`. Every figure is set against another one of the same run."""
