"""Comparisons: many runs from one gin file, and what they say of their systems.

Only `check`, which runs in a process of its own, imports TensorFlow: a report is drawn in a
few seconds, and a launcher that waits for hours holds little memory.
"""
