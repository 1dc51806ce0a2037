"""Tests of latent_hrl.layers."""
