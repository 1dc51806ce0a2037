"""Tests of what a graph tells of itself, against its manifest."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from latent_hrl.layers import interface
from tests import helpers

_MANIFEST = helpers.make_manifest(
  [helpers.BODY, helpers.GOAL], [helpers.make_record('base', ('body',))]
)


@pytest.fixture(name='meta', scope='module')
def _meta(tmp_path_factory):
  """The graph of a module with nothing but an interface."""
  path = tmp_path_factory.mktemp('module')
  module = tf.Module()

  @tf.function(input_signature=[], autograph=False)
  def constants():
    return {
      'sizes': tf.constant([3, 2], tf.int32),
      'fields': tf.constant(['body', 'goal']),
      'action_high': tf.constant(np.float32([1.0, 3.0])),
      'action_low': tf.constant(np.float32([-2.0, -1.0])),
    }

  module.interface = constants
  module.other = tf.function(lambda x: x, input_signature=[tf.TensorSpec([], tf.float32)])
  tf.saved_model.save(module, str(path))
  content = (path / 'saved_model.pb').read_bytes()
  return saved_model_pb2.SavedModel.FromString(content).meta_graphs[0]


def test_a_manifest_that_says_the_same_passes(meta):
  assert list(interface.complaints(meta, _MANIFEST)) == []


@pytest.mark.parametrize(
  ('changes', 'what'),
  [
    ({'action_low': (-2.0, -1.5)}, 'action_low'),
    ({'action_high': (1.0, 3.0, 1.0)}, 'action_high'),
    ({'fields': (helpers.GOAL, helpers.BODY)}, 'fields'),
    ({'fields': (helpers.BODY._replace(size=2), helpers.GOAL._replace(size=3))}, 'sizes'),
    ({'fields': (helpers.BODY._replace(name='bödy'), helpers.GOAL)}, 'fields'),
  ],
)
def test_a_manifest_that_says_otherwise_is_told(meta, changes, what):
  manifest = dataclasses.replace(_MANIFEST, **changes)
  assert f'it contradicts the manifest on {what}' in interface.complaints(meta, manifest)


@pytest.mark.parametrize('spoil', ['no_function', 'another_function', 'computed'])
def test_what_tells_no_constants_is_refused(meta, spoil):
  spoilt = type(meta)()
  spoilt.CopyFrom(meta)
  root = spoilt.object_graph_def.nodes[0]
  (child,) = (child for child in root.children if child.local_name == interface.NAME)
  if spoil == 'no_function':
    root.children.remove(child)
  elif spoil == 'another_function':
    (child.node_id,) = (c.node_id for c in root.children if c.local_name == 'other')
  else:
    for function in spoilt.graph_def.library.function:
      for node in function.node_def:
        if node.op == 'Const':
          node.op = 'Neg'
  assert list(interface.complaints(spoilt, _MANIFEST)) == [
    "its function 'interface' is none that returns constants"
  ]
