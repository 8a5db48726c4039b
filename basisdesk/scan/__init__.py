"""What the watched universe offers: openings, composites, sectors, scorecards, alerts. Pure.

Read on a beat of its own, never in the walk: no trade depends on it. What it says of sectors
reaches the desk as a command, like anything a person says.
"""
