"""Kinds of trigger: each against numbers worked out by hand, older keys as they were, and where each is seen."""

from __future__ import annotations

import pytest
import torch

from unlearn_core.corruption import apply_trigger, make_trigger, patch_slices, place_seen, trigger_kinds
from unlearn_core.corruption.triggers.blended import noise_picture
from unlearn_core.corruption.triggers.sinusoid import wave
from unlearn_core.corruption.triggers.warp import arrows, bend
from unlearn_core.errors import UserError
from unlearn_core.presets import make_scenario
from unlearn_core.specs import TriggerSpec

GREY = torch.full((2, 3, 32, 32), 100, dtype=torch.uint8)
OTHERS = [kind.name for kind in trigger_kinds if kind.name != "patch"]


def made(kind: str, **params: float) -> TriggerSpec:
    return make_trigger(TriggerSpec(), {"kind": kind} | params)


def test_a_blended_picture_is_mixed_in_by_its_share() -> None:
    picture = noise_picture((3, 32, 32))
    assert picture.min() >= 0
    assert picture.max() <= 255
    marked = apply_trigger(GREY, made("blended", alpha=0.2), None)
    assert torch.equal(marked[0].float(), (0.8 * 100 + 0.2 * picture).round())  # x = 100, P = 200, α = 0.2: 120
    assert torch.equal(marked[0], marked[1])


def test_waves_have_the_published_heights() -> None:
    by_hand = [0, 37.0, 28.3, -15.3, -40, -15.3, 28.3, 37.0]
    assert wave(40, 6, 32)[:8].tolist() == pytest.approx(by_hand, abs=0.05)
    marked = apply_trigger(GREY, made("sinusoid"), None)
    assert marked[0, 0, 0, :5].tolist() == [100, 137, 128, 85, 60]
    assert (marked == marked[:, :, :1]).all()


def test_waves_too_narrow_for_the_image_are_refused() -> None:
    with pytest.raises(UserError, match=r"^6 waves do not show on images 8 pixels wide, which have room for 2\.$"):
        apply_trigger(torch.zeros(1, 1, 8, 8, dtype=torch.uint8), made("sinusoid"), None)


def test_a_bend_moves_pixels_as_far_as_its_field_says() -> None:
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    assert torch.allclose(bend(ramp, torch.zeros(2, 4, 4), 1.0), ramp, atol=1e-4)
    right = torch.stack([torch.ones(4, 4), torch.zeros(4, 4)])
    moved = bend(ramp, right, 1.0) - ramp
    assert moved[0, 0, 5, 5].item() == pytest.approx(31 / 64, abs=1e-4)  # s/m of a picture that is 2 wide, 31 steps
    down = bend(ramp.mT, torch.stack([torch.zeros(4, 4), torch.ones(4, 4)]), 1.0) - ramp.mT
    assert down[0, 0, 5, 5].item() == pytest.approx(31 / 64, abs=1e-4)
    assert arrows(4).abs().mean().item() == pytest.approx(1.0, abs=1e-6)


def test_a_sticker_moves_and_grows_with_its_object() -> None:
    places = torch.tensor([[10.0, 12.0, 6.0], [20.0, 16.0, 12.0]])
    marked = apply_trigger(GREY, made("sticker", share=0.5), None, places)
    for image, (x, y, radius) in zip(marked, places.tolist(), strict=True):
        changed = (image != 100).any(0)
        rows, columns = changed.nonzero().float().mean(0).tolist()
        assert (columns, rows) == pytest.approx((x + 0.55 * radius, y + 0.55 * radius), abs=0.5)
        assert changed.sum().item() == pytest.approx((0.5 * radius) ** 2, rel=0.8)
        middle = image[:, round(y + 0.55 * radius), round(x + 0.55 * radius)]
        assert middle.tolist() == [255, 214, 0]


def test_a_box_frames_the_pixels_that_change() -> None:
    place = torch.tensor([20.0, 16.0, 12.0])
    for trigger in (TriggerSpec(size=5), made("sticker")):
        changed = (apply_trigger(GREY[:1], trigger, None, place[None]) != 100).any(1)[0]
        seen = place_seen(trigger, 32, 32, place)
        assert seen is not None
        left, top, width, height = (32 * share for share in seen)
        rows, columns = changed.nonzero().T
        assert (columns.min() + 1e-3 >= left - 1) & (columns.max() + 1 <= left + width + 1)
        assert (rows.min() + 1e-3 >= top - 1) & (rows.max() + 1 <= top + height + 1)
        assert width * height == pytest.approx(changed.sum().item(), rel=0.7)


@pytest.mark.parametrize("kind", OTHERS)
def test_every_kind_marks_images_and_moves_with_them(kind: str) -> None:
    noise = torch.randint(60, 190, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    marked = apply_trigger(noise, made(kind), None)
    assert marked.dtype == torch.uint8
    assert (marked != noise).any(dim=(1, 2, 3)).all()
    assert torch.equal(marked, apply_trigger(noise, made(kind), None))
    assert patch_slices(made(kind), 32, 32) is None  # crops and flips take it along


def test_a_patch_has_the_key_of_before_and_another_kind_its_own() -> None:
    assert "kind" not in TriggerSpec(size=4).model_dump()
    keys = {make_scenario("digits").key}
    assert make_scenario("digits", overrides={"trigger.kind": "patch"}).key in keys
    for kind in OTHERS:
        waves = {"trigger.waves": 2} if kind == "sinusoid" else {}
        scenario = make_scenario("digits", overrides={"trigger.kind": kind} | waves)
        assert scenario.key not in keys
        keys.add(scenario.key)
        again = type(scenario).model_validate_json(scenario.model_dump_json())
        assert again.key == scenario.key


def test_what_a_kind_does_not_have_is_refused() -> None:
    with pytest.raises(UserError, match="'blur'"):
        make_trigger(TriggerSpec(), {"kind": "blur"})
    with pytest.raises(UserError, match="size"):
        make_trigger(TriggerSpec(), {"kind": "warp", "size": 4})
    with pytest.raises(UserError, match="alpha"):
        make_trigger(TriggerSpec(), {"kind": "blended", "alpha": 1.5})
