"""The models as a page runs them, written by `python -m solutions.diffusion export-onnx NAME`.

    NAME.onnx.js   the ONNX graphs, packed: `denoiser` (x, t, condition -> prediction, and the maps of the words if there are any), and
                   for a model of latents `decoder` (z -> image)
    NAME.js        what the page has to know to sample with them; `weights` is the hash of the file that they were made from

Weights stay in the graph as they are stored, 16 or 8 bits each, and become float32 when the graph is loaded: the page computes with the
numbers that Python computes with. Both are scripts, since a page that is opened as a file may load nothing else.
"""

import base64
import gzip
import io
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from solutions.diffusion.attention_maps import attention_seen, mean_map
from solutions.diffusion.drawings import Drawing, drawing
from solutions.diffusion.store import SHIPPED, stored_weights
from solutions.diffusion.widgets import provide

OPSET = 18
Stored = dict[str, tuple[Tensor, Tensor | None]]


class Denoiser(nn.Module):
    """A drawing's network with its arguments in order, and where it has cross-attention, the mean of its maps as a second result."""

    def __init__(self, drawn: Drawing) -> None:
        super().__init__()
        self.network, self.condition = drawn.network, drawn.condition

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> tuple[Tensor, ...]:
        """Return the prediction and the maps. # (B, C, H, W), (B,), (B,) or (B, L) -> (B, C, H, W), (B, L, h, w)"""
        with attention_seen(self.network) as seen:
            prediction = self.network(x, t, **{self.condition: condition})
        return (prediction, mean_map(seen)) if seen else (prediction,)


class Decoder(nn.Module):
    """What turns a drawing's latents into images."""

    def __init__(self, drawn: Drawing) -> None:
        super().__init__()
        assert drawn.decode
        self.network, self.decode = drawn.network, drawn.decode

    def forward(self, z: Tensor) -> Tensor:
        """Return the images. # (B, C, h, w) -> (B, 1 or 3, H, W)"""
        return self.decode(z)


def write(name: str, out: Path, weights: Path = SHIPPED) -> list[Path]:
    """Write both files of a drawing into `out`, and return their paths."""
    out.mkdir(parents=True, exist_ok=True)
    drawn, made = drawing(name, weights), weights_hash(name, weights)
    packed = {key: _packed(graph) for key, graph in graphs(drawn, stored_weights(name, weights), made).items()}
    graphs_file = provide(out / f"{name}.onnx.js", packed)
    return [graphs_file, provide(out / f"{name}.js", {**described(drawn), "weights": made, "bytes": graphs_file.stat().st_size})]


def described(drawn: Drawing) -> dict[str, Any]:
    """Return what the page has to know of a drawing besides its graphs; `length` is the number of tokens of a prompt, 0 for a label."""
    condition = drawn.read("", 1)
    words = {"words": drawn.words, "first": drawn.first, "null": drawn.null, "length": condition.shape[1] if condition.dim() > 1 else 0}
    images = {"shape": drawn.shape, "predicts": drawn.predicts, "clip": drawn.clip, "images": drawn.images}
    return {**words, **images, "latent": drawn.decode is not None}


def weights_hash(name: str, folder: Path = SHIPPED) -> str:
    """Return the SHA-256 of the file of weights."""
    return sha256((folder / f"{name}.safetensors").read_bytes()).hexdigest()


def graphs(drawn: Drawing, stored: Stored, made_from: str) -> dict[str, ModelProto]:
    """Return the graphs of a drawing by their names, with the hash that they were made from."""
    x = torch.zeros(2, *drawn.shape)
    given = {"x": x, "t": torch.ones(2, dtype=torch.int32), "condition": drawn.read("", 2).int()}
    outputs = ["prediction", "maps"] if len(Denoiser(drawn)(*given.values())) == 2 else ["prediction"]
    made = {"denoiser": _traced(Denoiser(drawn), given, outputs)}
    if drawn.decode:
        made["decoder"] = _traced(Decoder(drawn), {"z": x}, ["images"])
    for graph in made.values():
        _keep_as_stored(graph, stored)
        helper.set_model_props(graph, {"weights": made_from})
    return made


def _traced(module: nn.Module, given: dict[str, Tensor], outputs: list[str]) -> ModelProto:
    """Return a module as a graph for batches of any size. Its weights keep their names."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, that there is a newer one; that needs more packages, and renames the weights
        torch.onnx.export(
            module.eval(), tuple(given.values()), file, dynamo=False,  # type: ignore[arg-type]  # a file for its bytes, too
            opset_version=OPSET, do_constant_folding=False,
            input_names=list(given), output_names=outputs, dynamic_axes={name: {0: "batch"} for name in (*given, *outputs)},
        )  # fmt: skip
    return onnx.load_model_from_string(file.getvalue())


def _keep_as_stored(graph: ModelProto, stored: Stored) -> None:
    """Put each weight into the graph in the bits in which it is stored, before the nodes that make it float32."""
    whole = [weight for weight in graph.graph.initializer if weight.name.removeprefix("network.") in stored]
    for weight in whole:
        value, step = stored[weight.name.removeprefix("network.")]
        parts = {f"{weight.name}/{part}": tensor for part, tensor in (("stored", value), ("step", step)) if tensor is not None}
        for name, tensor in parts.items():
            graph.graph.initializer.append(numpy_helper.from_array(tensor.numpy(), name))
        floats = [weight.name] if step is None else [f"{name}/float" for name in parts]
        nodes = [helper.make_node("Cast", [name], [to], to=TensorProto.FLOAT) for name, to in zip(parts, floats, strict=True)]
        if step is not None:
            nodes.append(helper.make_node("Mul", floats, [weight.name]))
        graph.graph.initializer.remove(weight)
        for node in reversed(nodes):
            graph.graph.node.insert(0, node)


def _packed(graph: ModelProto) -> str:
    return base64.b64encode(gzip.compress(graph.SerializeToString(deterministic=True), mtime=0)).decode()
