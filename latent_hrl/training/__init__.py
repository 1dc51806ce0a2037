"""Training: the loop, its replay, its fused updates, checkpoints and metrics."""
