"""What flows of couplings share: which half is kept, and the network that steers the other.

Coupling i keeps one half k of its input and maps the other half x by a map whose
parameters come from k and the state. So the Jacobian is triangular, and both directions
cost one call of its network. Couplings alternate between the contiguous halves [:D//2] and
[D//2:].

Source: Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP" (2017), section
3.4; conditioning on the state as in the latent space policies of Haarnoja et al. (2018),
section 4.3.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf
import tensorflow_probability as tfp

tfb = tfp.bijectors

# Bound on a log-scale (docs/method.md, departure 3), and what shifts count in.
LOG_SCALE_BOUND = 3.0
SHIFT_SCALE = 1.0
# Of the hidden layer of a coupling's network.
ACTIVATIONS = ('tanh', 'relu')


def masks(dimension: int, num_couplings: int) -> list[int]:
  """Returns which part of its input each coupling keeps, first applied first.

  A positive entry n keeps the first n dimensions, a negative one the last |n|, as
  `tfp.bijectors.RealNVP(num_masked=n)` reads it. Where a half is empty (D = 1), the
  coupling that would transform nothing is left out, so one dimension gets an affine map
  of the state alone.

  Args:
    dimension: D, at least 1.
    num_couplings: Number of coupling layers, at least 1.

  Raises:
    ValueError: If either is below 1.
  """
  if dimension < 1:
    raise ValueError(f'dimension must be at least 1, got {dimension}.')
  if num_couplings < 1:
    raise ValueError(f'num_couplings must be at least 1, got {num_couplings}.')
  first, second = dimension // 2, dimension - dimension // 2
  halves = [first if i % 2 == 0 else -second for i in range(num_couplings)]
  return [mask for mask in halves if abs(mask) < dimension]


def bounded_affine(
  shift: tf.Tensor, raw_log_scale: tf.Tensor, log_scale_bound: float
) -> tfb.Bijector:
  """Returns y = x · exp(l) + t with l = b · tanh(r / b), elementwise.

  Args:
    shift: t, float32 [..., D].
    raw_log_scale: r, float32 [..., D].
    log_scale_bound: b > 0: no state can blow the latent up (docs/method.md, departure 3).

  Raises:
    ValueError: If the bound is not positive.
  """
  if log_scale_bound <= 0:
    raise ValueError(f'log_scale_bound must be positive, got {log_scale_bound}.')
  log_scale = log_scale_bound * tf.tanh(raw_log_scale / log_scale_bound)
  return tfb.Shift(shift)(tfb.Scale(log_scale=log_scale))


class Conditioner(tf.keras.layers.Layer):
  """The parameters of one coupling, from the kept half and the state.

  One hidden layer (docs/method.md); the last layer starts at zero, so that a fresh coupling
  is the identity (docs/method.md, departure 3).
  """

  def __init__(
    self,
    input_size: int,
    hidden_units: int,
    output_size: int,
    name: str,
    activation: str = 'tanh',
  ):
    """Makes the weights.

    Args:
      input_size: Entries of kept half and state together.
      hidden_units: Width of the hidden layer.
      output_size: Entries of what it returns.
      name: Name of the coupling.
      activation: Of the hidden layer, one of `ACTIVATIONS`.
    """
    super().__init__(name=name)
    self._hidden = tf.keras.layers.Dense(hidden_units, activation, name='hidden')
    self._output = tf.keras.layers.Dense(
      output_size, kernel_initializer='zeros', name='output'
    )
    # Built here: TFP calls the conditioner lazily, long after the network counts as built.
    with tf.name_scope(name):
      self._hidden.build((None, input_size))
      self._output.build((None, hidden_units))

  def call(self, kept: tf.Tensor, embedding: tf.Tensor) -> tf.Tensor:
    """Returns parameters [..., P] for a kept half [..., K] and an embedding [..., E]."""
    if kept.shape.rank > embedding.shape.rank:  # Several latents for each observation.
      shape = tf.concat([tf.shape(kept)[:-1], tf.shape(embedding)[-1:]], axis=0)
      embedding = tf.broadcast_to(embedding, shape)
    return self._output(self._hidden(tf.concat([kept, embedding], axis=-1)))


def conditioners(
  kept: Sequence[int],
  dimension: int,
  embedding_size: int,
  hidden_units: int,
  parameters_per_entry: int,
  activation: str = 'tanh',
) -> list[Conditioner]:
  """Returns the conditioner of each coupling, first applied first.

  Args:
    kept: What each coupling keeps, from `masks`.
    dimension: D.
    embedding_size: E.
    hidden_units: Width of each.
    parameters_per_entry: Parameters of the map of one entry.
    activation: Of each, one of `ACTIVATIONS`.
  """
  return [
    Conditioner(
      input_size=abs(mask) + embedding_size,
      hidden_units=hidden_units,
      output_size=parameters_per_entry * (dimension - abs(mask)),
      name=f'coupling_{i}',
      activation=activation,
    )
    for i, mask in enumerate(kept)
  ]


def chain(kept: Sequence[int], maps: Sequence[Callable[[tf.Tensor], tfb.Bijector]]):
  """Returns the flow of some couplings.

  Args:
    kept: What each coupling keeps, from `masks`, first applied first.
    maps: For each coupling the map of the other half, given the kept one [..., K].

  Returns:
    A bijector on events of shape [D]. It owns no variable.

  Raises:
    ValueError: If there is not one map for each coupling.
  """
  if len(kept) != len(maps):
    raise ValueError(f'One map per coupling is needed, got {len(maps)} for {len(kept)}.')

  def coupling(mapping: Callable[[tf.Tensor], tfb.Bijector]):
    return lambda half, unused_depth: mapping(half)

  couplings = [
    tfb.RealNVP(num_masked=mask, bijector_fn=coupling(mapping))
    for mask, mapping in zip(kept, maps, strict=True)
  ]
  return tfb.Chain(couplings[::-1])  # Chain applies its last entry first.
