"""Planning: what a gin file describes, checked once and complete before anything is built.

Gin makes immutable descriptions (`layer`, `settings`, the agents', the rewards'), `check`
makes of them a `LayerPlan` for each layer, and training reads plans alone.
"""
