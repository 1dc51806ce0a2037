"""Tests of latent_hrl.training."""
