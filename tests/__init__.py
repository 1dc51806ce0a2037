"""Tests of latent_hrl; the layout mirrors the package."""
