"""What a layer to train is called."""

import gin
import pytest

from latent_hrl import errors
from latent_hrl.plan import layer as layer_lib


def test_a_layer_is_called_by_its_scope():
  with gin.config_scope('base'):
    assert layer_lib.Layer(name='base').name == layer_lib.Layer().name == 'base'
    with pytest.raises(errors.ConfigError, match="base/Layer.name is 'walker'.*@walker/"):
      layer_lib.Layer(name='walker')
