"""Damage to layers and gin files, drawn at random: what must be refused, and how."""
