"""Tests of latent_hrl.environments."""
