"""The operations that a saved layer may hold; any other is refused, known to us or not.

Derived from what exported layers contain (with and without intervals, flows and Gaussian
policies, any D), and widened within each group to what another flow or activation would
need. Nothing here reads or writes a file, prints, opens a socket, calls Python or a
library, or keeps a state: a layer is a function of its inputs.
"""

# The frame: constants, weights, and one function that calls another. Whom a call may name
# is checked apart. No loops and no branches, so that every call comes to an end.
_FRAME = (
  'Const',
  'EnsureShape',
  'Identity',
  'IdentityN',
  'NoOp',
  'PartitionedCall',
  'ReadVariableOp',
  'StatefulPartitionedCall',
  'StopGradient',
)
# Dense layers, and sums over the event: log-determinants, log-densities.
_PRODUCTS_AND_SUMS = (
  'All',
  'Any',
  'BatchMatMulV2',
  'BiasAdd',
  'Cumsum',
  'Einsum',
  'MatMul',
  'Max',
  'Mean',
  'Min',
  'Prod',
  'Sum',
)
# Entry by entry: affine maps and their inverses, densities.
_ARITHMETIC = (
  'Abs',
  'AddN',
  'AddV2',
  'Ceil',
  'ClipByValue',
  'Div',
  'DivNoNan',
  'Exp',
  'Expm1',
  'Floor',
  'FloorDiv',
  'FloorMod',
  'Log',
  'Log1p',
  'Maximum',
  'Minimum',
  'Mul',
  'MulNoNan',
  'Neg',
  'Pow',
  'RealDiv',
  'Reciprocal',
  'Round',
  'Rsqrt',
  'Sign',
  'Sqrt',
  'Square',
  'SquaredDifference',
  'Sub',
  'Xdivy',
  'Xlogy',
)
# Activations and squashing with their inverses.
_ACTIVATIONS = (
  'Atanh',
  'Elu',
  'Erf',
  'Erfinv',
  'LeakyRelu',
  'LogSoftmax',
  'Ndtri',
  'Relu',
  'Relu6',
  'Selu',
  'Sigmoid',
  'Softmax',
  'Softplus',
  'Softsign',
  'Tanh',
)
# Which entries were clipped, which episodes decide anew.
_CHOICES = (
  'Equal',
  'Greater',
  'GreaterEqual',
  'IsFinite',
  'IsInf',
  'IsNan',
  'Less',
  'LessEqual',
  'LogicalAnd',
  'LogicalNot',
  'LogicalOr',
  'NotEqual',
  'Select',
  'SelectV2',
)
# Which bin of a spline a number falls into.
_SEARCHES = ('LowerBound', 'UpperBound')
# Halves of a coupling, fields of an observation, any batch size.
_SHAPES = (
  'BroadcastArgs',
  'BroadcastTo',
  'Cast',
  'ConcatV2',
  'ExpandDims',
  'Fill',
  'GatherNd',
  'GatherV2',
  'InvertPermutation',
  'OnesLike',
  'Pack',
  'Pad',
  'PadV2',
  'Range',
  'Rank',
  'Reshape',
  'ReverseV2',
  'Shape',
  'Size',
  'Slice',
  'Split',
  'SplitV',
  'Squeeze',
  'StridedSlice',
  'Tile',
  'Transpose',
  'Unpack',
  'ZerosLike',
)
# `sample`: numbers that follow from the seed alone, and the bits that make keys of it.
_STATELESS_NOISE = (
  'BitwiseAnd',
  'BitwiseOr',
  'BitwiseXor',
  'LeftShift',
  'RightShift',
  'StatelessRandomGetKeyCounter',
  'StatelessRandomNormalV2',
  'StatelessRandomUniformFullIntV2',
  'StatelessRandomUniformV2',
)

# In the functions of a layer.
LAYER = frozenset(
  _FRAME
  + _PRODUCTS_AND_SUMS
  + _ARITHMETIC
  + _ACTIVATIONS
  + _CHOICES
  + _SEARCHES
  + _SHAPES
  + _STATELESS_NOISE
)
# In the graph around them, which TensorFlow Serving runs: inputs, variables, calls.
TOP_LEVEL = frozenset(_FRAME + ('Placeholder', 'VarHandleOp'))
# These do read and write files. Every SavedModel has two functions with them, to restore
# and to save its variables; nothing that a layer computes may call those.
CHECKPOINT = frozenset(
  {
    'AssignVariableOp',
    'Const',
    'DisableCopyOnRead',
    'Identity',
    'MergeV2Checkpoints',
    'NoOp',
    'Pack',
    'ReadVariableOp',
    'RestoreV2',
    'SaveV2',
    'Select',
    'ShardedFilename',
    'StaticRegexFullMatch',
    'StringJoin',
  }
)
