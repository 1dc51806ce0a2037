"""Tests of latent_hrl.baselines."""
