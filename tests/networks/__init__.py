"""Tests of latent_hrl.networks."""
