"""TF-Agents' own agents, to compare with: SAC, TD3, DDPG and PPO."""
