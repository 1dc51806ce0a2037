"""Packaging of latent_hrl; what gets installed exactly is in requirements.lock."""

import pathlib
import re

import setuptools

ROOT = pathlib.Path(__file__).resolve().parent
# Folders at the top that go into the package: a package called gin would hide gin-config,
# and launchers is no name for what other packages lie beside. See latent_hrl/resources.py
# and latent_hrl/console.py.
PLACES = {
  'latent_hrl.data.gin': 'gin',
  'latent_hrl.data.zoo': 'zoo',
  'latent_hrl.launchers': 'launchers',
}


def version() -> str:
  """Returns the version from the sources: importing them would need TensorFlow."""
  text = (ROOT / 'latent_hrl' / '__init__.py').read_text(encoding='utf-8')
  match = re.search(r"^__version__ = '([^']+)'$", text, re.MULTILINE)
  if match is None:
    raise RuntimeError('latent_hrl/__init__.py has no __version__')
  return match.group(1)


setuptools.setup(
  name='latent_hrl',
  version=version(),
  description='Latent space policies for hierarchical reinforcement learning on TF-Agents.',
  author='The latent_hrl authors',
  license='Apache-2.0',
  packages=[*setuptools.find_packages(include=['latent_hrl*']), *PLACES],
  package_dir=PLACES,
  package_data={
    'latent_hrl': ['py.typed'],
    'latent_hrl.comparison': ['templates/*.j2'],
    'latent_hrl.data.gin': ['**/*.gin', '**/*.json'],
    'latent_hrl.data.zoo': ['**/*'],
  },
  entry_points={
    'console_scripts': [
      f'latent-hrl-{name.rstrip("_").replace("_", "-")} = latent_hrl.console:{name}'
      for name in ('compare', 'convert_sb3', 'demo', 'eval_', 'reseal', 'train', 'zoo')
    ]
  },
  python_requires='>=3.11,<3.12',
  install_requires=[
    'absl-py>=2.1,<3',
    'attrs>=24.1',  # configurations: frozen classes with checked fields
    'gin-config>=0.5,<0.6',
    'gymnasium[mujoco]>=1.3,<2',
    'imageio>=2.34,<3',
    'jinja2>=3.1,<4',
    'matplotlib>=3.9,<4',
    'mujoco>=3.1,<5',
    'numpy>=2,<3',
    'scipy>=1.15,<2',
    'tensorboard>=2.20,<2.22',  # TensorFlow 2.21 stopped bringing it; tf.summary needs it
    'tensorflow>=2.20,<2.22',
    'tensorflow-probability==0.23.0',  # the series that TF-Agents 0.19 pins
    'tf-agents==0.19.0',
    'tf-keras>=2.20,<2.22',  # TF-Agents 0.19 is written for Keras 2
    'tqdm>=4.66,<5',
  ],
  extras_require={
    # The task latent_hrl/RoboticsAntMaze-v0.
    'robotics': ['gymnasium-robotics>=1.4,<2'],
    # Films as .mp4: 165 MB.
    'video': ['imageio-ffmpeg>=0.5,<1'],
    'dev': [
      'gymnasium-robotics>=1.4,<2',
      'hypothesis',
      'imageio-ffmpeg>=0.5,<1',
      # TF-Agents pins typing_extensions 4.5.0, which newer releases of mypy do not take.
      'mypy>=1.10',
      'pip-tools>=7.4',
      'pytest>=8',
      'pytest-xdist>=3.5',
      'ruff>=0.9',
      'setuptools>=71',  # builds gym, which ships sources only, and this package itself
    ],
  },
)
