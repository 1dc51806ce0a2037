"""Tasks: gymnasium environments with named observation fields. Importing registers ours."""

import gymnasium

MULTI_GOAL = 'latent_hrl/MultiGoal-v0'

gymnasium.register(
  id=MULTI_GOAL,
  entry_point='latent_hrl.environments.multi_goal:MultiGoalEnv',
  max_episode_steps=50,
)
