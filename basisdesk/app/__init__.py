"""Composition root: builds each part once, wires them, owns start, shutdown and crashes.

`desk.run_desk` is the desk, `record.record` the headless recorder, `bench.run_bench` the figures.
"""
