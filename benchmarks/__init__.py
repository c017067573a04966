"""Speed of the engine beside its peers, on generated records: ``python -m benchmarks``."""
