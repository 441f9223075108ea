"""Table of what one predicted nat is worth: measured by training again."""

TABLES: dict[str, str] = {
    # slope: nats measured for one that a method predicts at a damping, by models trained again and queries of which one
    # half calibrates; low, high: its 95 % interval; held_out_slope: of calibrated nats, by the other half (NULL where
    # the slope is not positive); n: pairs of model and query behind the slope
    "calibration": """
        model_id VARCHAR, method VARCHAR, damping DOUBLE, slope DOUBLE, low DOUBLE, high DOUBLE, held_out_slope DOUBLE,
        n INTEGER, how VARCHAR""",
}

KEYS: dict[str, tuple[str, ...]] = {"calibration": ("model_id", "method", "damping")}

ORDER: dict[str, tuple[str, ...]] = {"calibration": ("model_id", "method", "damping")}

REFERENCES: tuple[tuple[str, str, str, str], ...] = (("calibration", "model_id", "model", "model_id"),)

INVARIANTS: dict[str, str] = {
    "calibration whose slope is not within its interval": """
        SELECT count(*) FROM calibration WHERE NOT (isfinite(low) AND isfinite(high) AND low <= slope AND slope <= high)
        OR damping < 0 OR n < 1""",
}
