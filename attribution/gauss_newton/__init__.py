"""The whole damped Gauss–Newton matrix: what the blocks of `curvature` leave out between layers, by products alone."""
