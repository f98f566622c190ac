"""Speed and size beside other libraries; `make bench`, and docs/benchmarks.md explains."""
