"""Captioned shapes: drawn images match their captions, and the checker notices when one doesn't."""

import pytest
import torch

from solutions.diffusion.checker import ATTRIBUTES, adherence, detect, obeys
from solutions.diffusion.shapes import ALL, COLOURS, RELATIONS, SEEN, SHAPES, UNSEEN, Scene, SceneObject, coverage, draw, random_scene

RED = SceneObject("circle", "red", "small")
BLUE = SceneObject("square", "blue", "large")
SCENE = Scene((RED, BLUE), "above")


def drawn(scene: Scene, size: int = 32, seed: int = 0) -> torch.Tensor:
    return draw([scene], size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(("size", "least"), [(32, 1.0), (16, 0.97)])
def test_checker_is_right_on_true_images(count: int, size: int, least: float) -> None:
    """At 32 px it accepts every image drawn from its caption; at 16 px at least 97 of 100."""
    rng = torch.Generator().manual_seed(1)
    scenes = [random_scene(rng, count=count, among=ALL) for _ in range(500)]
    assert adherence(draw(scenes, size, rng), scenes)["all"] >= least


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (Scene((SceneObject("circle", "red", "large"), BLUE), "above"), {"size"}),
        (Scene((SceneObject("triangle", "red", "small"), BLUE), "above"), {"shape"}),
        (Scene((RED, BLUE), "below"), {"relation"}),
        (Scene((RED, BLUE), "left of"), {"relation"}),
        (Scene((RED,)), {"count"}),
        (Scene((SceneObject("circle", "blue", "small"), SceneObject("square", "red", "large")), "above"), {"shape", "size", "relation"}),
        (Scene((SceneObject("circle", "green", "small"), BLUE), "above"), {"colour", "shape", "size", "relation"}),
    ],
    ids=lambda value: " ".join(sorted(value)) if isinstance(value, set) else str(value),
)
def test_checker_names_what_is_wrong(said: Scene, wrong: set[str]) -> None:
    """An image of a small red circle above a large blue square with another caption: the wrong attributes are reported, and no others."""
    verdict = obeys(detect(drawn(SCENE))[0], said)
    assert {name for name in ATTRIBUTES if not verdict[name]} == wrong


def test_terse_caption_is_judged_on_what_it_says() -> None:
    """`a circle above a square` holds for any colours and sizes; `a square above a circle` does not."""
    seen = detect(drawn(SCENE))[0]
    assert all(obeys(seen, Scene((SceneObject("circle"), SceneObject("square")), "above")).values())
    assert not all(obeys(seen, Scene((SceneObject("square"), SceneObject("circle")), "above")).values())


def test_two_blobs_of_one_colour_are_no_shape() -> None:
    """Two red circles at once are not one red circle."""
    twice = torch.maximum(drawn(Scene((RED,)), seed=0), drawn(Scene((RED,)), seed=3))
    assert not obeys(detect(twice)[0], Scene((RED,)))["shape"]


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_one_radius_have_the_area_of_its_circle(shape: str) -> None:
    """So size and shape are independent: area π·r² for all three shapes, within 2 % at 64 px."""
    area = coverage(shape, torch.tensor([[0.5, 0.5]]), torch.tensor([0.2]), 64).mean()
    assert area == pytest.approx(torch.pi * 0.04, rel=0.02)


def test_noise_is_not_an_object() -> None:
    """An empty image and one of faint noise contain nothing."""
    ground = drawn(Scene((RED,))).amin(dim=(2, 3), keepdim=True).expand(1, 3, 32, 32)
    faint = ground + 0.05 * torch.randn(ground.shape, generator=torch.Generator().manual_seed(0))
    assert detect(ground) == [{}]
    assert detect(faint) == [{}]


def test_held_out_objects_are_never_drawn_for_training() -> None:
    """Each colour has one held-out combination, and random scenes never contain it."""
    rng = torch.Generator().manual_seed(2)
    objects = {item for _ in range(400) for item in random_scene(rng, count=2).objects}
    assert objects == set(SEEN)
    assert sorted(str(item.colour) for item in UNSEEN) == sorted(COLOURS)


def test_scenes_draw_every_relation_and_two_colours() -> None:
    """Two objects never share a colour, because the checker distinguishes them by it."""
    rng = torch.Generator().manual_seed(3)
    scenes = [random_scene(rng, count=2) for _ in range(200)]
    assert {scene.relation for scene in scenes} == set(RELATIONS)
    assert all(scene.objects[0].colour != scene.objects[1].colour for scene in scenes)


def test_images_are_in_range_and_follow_their_seed() -> None:
    """Values in [-1, 1]; the same seed gives the same image, another seed another position."""
    assert drawn(SCENE).shape == (1, 3, 32, 32)
    assert drawn(SCENE).abs().max() <= 1
    assert torch.equal(drawn(SCENE, seed=5), drawn(SCENE, seed=5))
    assert not torch.equal(drawn(SCENE, seed=5), drawn(SCENE, seed=6))
