"""Evaluation: rollouts, pictures and videos."""
