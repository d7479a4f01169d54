"""Measurements that print JSON, a script each; `docs/benchmarks.md` shows what they gave."""
