"""Agents that train a layer: what all of them declare, and one file for each.

A gin file names one by `Layer.agent_fn`, such as `@create_agent` or `@sac_agent`.
"""
