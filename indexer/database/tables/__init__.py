"""Tables that came after the first ones: a module for each subject, with the order of their rows and what they refer
to. A file of before lacks those of a subject whole."""

from indexer.database.tables import calibration, components, groups, sets, spans, verbatim

LATER_SUBJECTS = (components, spans, groups, sets, verbatim, calibration)
