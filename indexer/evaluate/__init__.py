"""`evaluate`: are the attributions right? Measured against models that are trained anew, and against known facts."""
