"""The zoo: trained layers by name, to load, to evaluate and to stand on.

  latent_hrl.zoo.list()
  latent_hrl.load_layer('zoo:ant/base')

Importing it does not load TensorFlow.
"""

from latent_hrl.zoo.entry import Entry
from latent_hrl.zoo.index import entries as list
from latent_hrl.zoo.index import find

__all__ = ['Entry', 'find', 'list']
