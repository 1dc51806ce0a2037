"""Flows: invertible maps of the latent, steered by the state. One file each.

A gin file chooses one by `LatentPolicyNetwork.flow`, such as `@real_nvp()`.
"""
