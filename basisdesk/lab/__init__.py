"""The same engine, other frames: tapes, import, replay, reports."""
