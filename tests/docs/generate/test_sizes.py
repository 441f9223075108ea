"""The page of sizes stands on the shapes of the models, and every row says what breaks or fits."""

import pytest

from docs.generate.sizes import DOCUMENTS, MACHINES, MODELS, breaks, page, stages_of


@pytest.mark.parametrize(
    ("name", "n_params"),
    [  # as their weights are
        ("SmolLM2-135M", 134_515_008),
        ("Qwen2.5-0.5B", 494_032_768),
        ("Llama-3.2-1B", 1_235_814_400),
        ("Llama-3.1-8B", 8_030_261_248),
    ],
)
def test_shapes_add_up_to_the_parameters_of_the_models(name, n_params):
    assert MODELS[name].n_params == n_params


def test_every_model_stands_in_every_table_at_every_size():
    said = page()
    for name in MODELS:
        for n in DOCUMENTS:
            assert said.count(f"| {name} | {n:,} |") == len(MACHINES)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda of: of.kind + str(of.n))
def test_what_breaks_is_larger_than_what_is_there_and_what_fits_is_not(machine):
    for of in MODELS.values():
        for n in DOCUMENTS:
            stages, _ = stages_of(of, n, machine)
            fits = all(stage.memory <= machine.memory and stage.disk <= machine.disk for stage in stages)
            said = breaks(stages, machine)
            if fits:
                assert said == ""
            if not said:
                assert max(stage.disk for stage in stages) <= machine.disk
                assert max(stage.memory for stage in stages) <= machine.memory + machine.host


def test_eight_devices_are_faster_where_parts_are_shared_out_alone():
    (one, _), (eight, _) = (stages_of(MODELS["SmolLM2-135M"], 10**6, machine) for machine in MACHINES[1:])
    seconds = [{stage.name: stage.seconds for stage in stages} for stages in (one, eight)]
    assert seconds[0]["factors"] == seconds[1]["factors"]
    assert seconds[0]["corpus pass"] > 4 * seconds[1]["corpus pass"]
