"""EK-FAC and the diagonal Fisher: fitted, stored, inverted with damping, chained across training stages."""
