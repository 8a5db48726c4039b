"""Composition root: builds each part once, wires them, owns start, shutdown and crashes."""

from basisdesk.app.desk import DeskOptions, Pilot, run_desk

__all__ = ["DeskOptions", "Pilot", "run_desk"]
