"""What a layer to train is called."""

import gin
import pytest

from latent_hrl import errors
from latent_hrl.layers import spec


def test_a_layer_is_called_by_its_scope():
  with gin.config_scope('base'):
    assert spec.Layer(name='base').name == spec.Layer().name == 'base'
    with pytest.raises(errors.ConfigError, match="base/Layer.name is 'walker'.*@walker/"):
      spec.Layer(name='walker')
