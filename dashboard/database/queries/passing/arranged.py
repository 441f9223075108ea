"""What the rows of Runs come by: a question each, one value for a prompt, of the answers of one size."""

from dashboard.database.prompt_share import MEASURED, SHARE

_OF = "FROM generation JOIN model USING (model_id)"
_TOKENS = "FROM generation_token JOIN generation USING (generation_id) JOIN model USING (model_id)"

# prompt_id, value of the size $arranged
VALUES = {
    "answer": f"SELECT prompt_id, lower(trim(text)) AS value {_OF} WHERE model.name = $arranged",
    "certainty": f"SELECT prompt_id, avg(logp) AS value {_TOKENS} WHERE model.name = $arranged GROUP BY prompt_id",
    "share": f"""SELECT prompt_id, avg({SHARE}) AS value {_TOKENS}
        WHERE model.name = $arranged AND {MEASURED} GROUP BY prompt_id""",
    "newest": f"SELECT prompt_id, created_at AS value {_OF} WHERE model.name = $arranged",
}
ALPHABETICAL = ("prompt", "answer")  # from A to Z; all others from the largest
