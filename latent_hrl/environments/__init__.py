"""Tasks: gymnasium environments with named observation fields. Importing registers ours."""

import math

import gymnasium

MULTI_GOAL = 'latent_hrl/MultiGoal-v0'
_HERE = 'latent_hrl.environments'
_EPISODE = 1000  # steps, as everywhere in the paper

# Numbers: docs/tasks.md.
_DIRECTIONS = {
  'Swimmer': {'control_weight': 0.01, 'signed_speed': True},
  'Ant': {'alive_bonus': 0.05, 'control_weight': 0.01, 'contact_weight': 0.001},
  'Humanoid': {
    'alive_bonus': 0.2,
    'control_weight': 0.001,
    'contact_weight': 1e-5,
    'deviation_weight': 0.01,
  },
}
_CIRCLES = {
  'Swimmer': {'circle_radius': 5.0, 'half_angle': math.pi / 4},
  'Ant': {'circle_radius': 25.0},
  'Humanoid': {'circle_radius': 5.0},
}


def _register() -> None:
  gymnasium.register(
    MULTI_GOAL, entry_point=f'{_HERE}.multi_goal:MultiGoalEnv', max_episode_steps=50
  )

  def register(name: str, entry_point: str, **arguments) -> None:
    gymnasium.register(
      f'latent_hrl/{name}-v0',
      entry_point=f'{_HERE}.{entry_point}',
      max_episode_steps=_EPISODE,
      kwargs=arguments,
    )

  for robot, arguments in _DIRECTIONS.items():
    name = {'robot': robot.lower()}
    register(f'{robot}Directions', 'directions:DirectionsEnv', **name, **arguments)
  for robot, arguments in _CIRCLES.items():
    name = {'robot': robot.lower()}
    register(f'{robot}Goal', 'goals:RandomGoalEnv', **name, **arguments)
    register(f'{robot}SparseGoal', 'goals:RandomGoalEnv', **name, **arguments, sparse=True)
  register('AntWaypoints', 'waypoints:WaypointsEnv', robot='ant', alive_bonus=1.0)
  register('AntCrossMaze', 'mazes:AntMazeEnv', maze='cross', corridor=4.0, wall_height=1.5)
  register('AntUMaze', 'mazes:AntMazeEnv', maze='u')
  gymnasium.register(
    'latent_hrl/RoboticsAntMaze-v0',
    entry_point=f'{_HERE}.robotics_maze:make',
  )


_register()
