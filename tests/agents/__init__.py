"""Tests of latent_hrl.agents."""
