"""Tables of what one predicted nat is worth: measured by training again."""

TABLES: dict[str, str] = {
    # slope: nats measured for one that a method predicts at a damping, as of a training on all documents, by models
    # trained again on halves of them and queries of which one half calibrates; low, high: its 95 % interval;
    # held_out_slope: of calibrated nats, by the other half (NULL where the slope is not positive); n: pairs of model
    # and query behind the slope
    "calibration": """
        model_id VARCHAR, method VARCHAR, damping DOUBLE, slope DOUBLE, low DOUBLE, high DOUBLE, held_out_slope DOUBLE,
        n INTEGER, how VARCHAR""",
    # calibrated changes, as of a training on the halves, against those that were measured there, of the queries and
    # models that did not calibrate, in nats a token, as differences from the mean over the models: pairs in the order
    # of what was predicted, in bins of equal count; predicted, measured: means; low, high: quartiles of measured; n:
    # pairs
    "calibration_bin": """
        model_id VARCHAR, method VARCHAR, bin INTEGER, predicted DOUBLE, measured DOUBLE, low DOUBLE, high DOUBLE,
        n INTEGER""",
}

KEYS: dict[str, tuple[str, ...]] = {
    "calibration": ("model_id", "method", "damping"),
    "calibration_bin": ("model_id", "method", "bin"),
}

ORDER: dict[str, tuple[str, ...]] = KEYS

REFERENCES: tuple[tuple[str, str, str, str], ...] = (
    ("calibration", "model_id", "model", "model_id"),
    ("calibration_bin", "model_id", "model", "model_id"),
)

INVARIANTS: dict[str, str] = {
    "calibration whose slope is not within its interval": """
        SELECT count(*) FROM calibration WHERE NOT (isfinite(low) AND isfinite(high) AND low <= slope AND slope <= high)
        OR damping < 0 OR n < 1""",
    "calibration bin whose quartiles are in the wrong order": """
        SELECT count(*) FROM calibration_bin WHERE NOT (isfinite(predicted) AND isfinite(measured) AND low <= high)
        OR n < 1""",
}
