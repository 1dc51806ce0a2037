"""Tests of latent_hrl.flows."""
