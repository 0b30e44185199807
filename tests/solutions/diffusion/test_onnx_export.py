"""The graphs that a page runs: they are of the shipped weights, and compute what torch computes; and the maps of the words."""

import base64
import gzip
import json
import re

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from solutions.diffusion.attention_maps import attention_seen, mean_map
from solutions.diffusion.drawings import drawing, of_emoji, there, words_of
from solutions.diffusion.interface import InvalidRequest
from solutions.diffusion.models.emoji.model import EmojiDiffusion
from solutions.diffusion.onnx_export import described, graphs, weights_hash, write
from solutions.diffusion.store import stored_weights
from tests.courses import ROOT

MODELS = ROOT / "lessons" / "12_diffusion" / "widgets" / "models"


def provided(path):
    return json.loads(re.fullmatch(r"course\.provide\((.*)\);\n", path.read_text(), re.DOTALL)[1])


def graph_of(text):
    return onnx.load_model_from_string(gzip.decompress(base64.b64decode(text)))


def weights_in(graph):
    return {one.name: onnx.numpy_helper.to_array(one) for one in graph.graph.initializer}


def test_every_model_that_has_weights_is_there():
    assert {path.name for path in MODELS.iterdir()} == {f"{name}{ending}" for name in there() for ending in (".js", ".onnx.js")}


@pytest.mark.parametrize("name", there())
def test_a_shipped_graph_is_of_the_shipped_weights(name):
    """By the hash in both of its files, and number by number, in the bits in which they are stored."""
    about, packed = provided(MODELS / f"{name}.js"), provided(MODELS / f"{name}.onnx.js")
    assert about["weights"] == weights_hash(name)
    assert about["bytes"] == (MODELS / f"{name}.onnx.js").stat().st_size
    stored = stored_weights(name)
    for graph in map(graph_of, packed.values()):
        onnx.checker.check_model(graph)
        assert [(one.key, one.value) for one in graph.metadata_props] == [("weights", weights_hash(name))]
        found = {key: value for key, value in weights_in(graph).items() if key.endswith(("/stored", "/step"))}
        assert len(found) > 30
        for key, value in found.items():
            whole, step = stored[key.removeprefix("network.").rpartition("/")[0]]
            assert np.array_equal(value, step if key.endswith("/step") else whole)
        floats = [one.name for one in graph.graph.initializer if one.data_type == onnx.TensorProto.FLOAT]
        assert [name for name in floats if not name.endswith("/step")] == []


@pytest.mark.parametrize("name", there())
def test_a_shipped_file_says_what_the_model_is(name):
    assert provided(MODELS / f"{name}.js").items() >= json.loads(json.dumps(described(drawing(name)))).items()


def close_to_torch(drawn, packed, prompt):
    """Demand that a graph computes what the network does, for a batch of another size than that it was traced with."""
    generator = torch.Generator().manual_seed(0)
    x, t, condition = torch.randn(3, *drawn.shape, generator=generator), torch.tensor([900, 500, 20]), drawn.read(prompt, 3)
    with torch.no_grad(), attention_seen(drawn.network) as seen:
        expected = drawn.network(x, t, **{drawn.condition: condition})
    given = {"x": x.numpy(), "t": t.int().numpy(), "condition": condition.int().numpy()}
    with np.errstate(over="ignore"):  # in its sigmoid, which then takes another formula
        got, *maps = ReferenceEvaluator(packed["denoiser"]).run(None, given)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert len(maps) == bool(seen)
    for found in maps:
        np.testing.assert_allclose(found, mean_map(seen), atol=1e-5)


@pytest.mark.parametrize(("name", "prompt"), [("fashion", "bag"), ("shapes", "a small red circle")])
def test_a_shipped_graph_computes_what_torch_computes(name, prompt):
    packed = {key: graph_of(text) for key, text in provided(MODELS / f"{name}.onnx.js").items()}
    close_to_torch(drawing(name), packed, prompt)


def test_a_model_of_latents_brings_its_decoder():
    """Untrained, as any weights would do; layers that begin at zero are drawn, too."""
    torch.manual_seed(0)
    network = EmojiDiffusion().eval()
    for value in network.parameters():
        if not value.any():
            torch.nn.init.normal_(value, std=0.05)
    network.load_state_dict({key: value.half().float() for key, value in network.state_dict().items()})
    drawn, stored = of_emoji(network), {key: (value.half(), None) for key, value in network.state_dict().items()}
    packed = graphs(drawn, stored, "untrained")
    close_to_torch(drawn, packed, "red heart")
    z = torch.randn(2, *drawn.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        np.testing.assert_allclose(ReferenceEvaluator(packed["decoder"]).run(None, {"z": z.numpy()})[0], network.to_images(z), atol=1e-5)


def test_the_same_weights_give_the_same_files(tmp_path):
    """With the exporter that wrote them; another version of torch may write other nodes."""
    shipped = {key: graph_of(text) for key, text in provided(MODELS / "fashion.onnx.js").items()}
    again = {key: graph_of(text) for key, text in provided(write("fashion", tmp_path)[0]).items()}
    assert again.keys() == shipped.keys()
    for key, graph in again.items():
        assert all(np.array_equal(value, weights_in(shipped[key])[name]) for name, value in weights_in(graph).items())
        if graph.producer_version == shipped[key].producer_version:
            assert graph == shipped[key]


def test_each_place_divides_its_attention_among_the_words():
    """Watching changes nothing, and ends."""
    drawn = drawing("shapes")
    x, t, condition = torch.randn(2, *drawn.shape, generator=torch.Generator().manual_seed(0)), torch.tensor([500, 500]), drawn.read("a red circle", 2)
    with torch.no_grad():
        with attention_seen(drawn.network) as seen:
            watched = drawn.network(x, t, ids=condition)
        assert len(seen) == 7
        maps = mean_map(seen)
        assert torch.equal(drawn.network(x, t, ids=condition), watched)
        assert len(seen) == 7
    assert maps.shape == (2, condition.shape[1], 8, 8)
    assert torch.allclose(maps.sum(dim=1), torch.ones(2, 8, 8))
    assert words_of(drawn, condition[0]) == ["a", "red", "circle"]
    assert words_of(drawing("fashion"), torch.tensor(3)) == []


def test_an_unknown_drawing_is_refused_in_one_line():
    with pytest.raises(InvalidRequest) as refusal:
        drawing("gpt")
    assert str(refusal.value) == f"unknown model `gpt`: choose from {', '.join(there())}"
