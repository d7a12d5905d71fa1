"""Land as a height map seen in perspective: mountains, dunes, hills, moons and seas of cloud are all drawn so."""

from dataclasses import dataclass

import numpy as np

from understudy.animatic.scene.layers import Plate
from understudy.animatic.scene.palette import Color
from understudy.animatic.scene.raster import Field, Picture, blur, resize, sample, smoothstep, to_picture
from understudy.animatic.scene.stage import Stage


@dataclass(frozen=True, slots=True)
class Land:
    """A square height map and the colors of its ground, already lit; lengths are in map pixels."""

    height: Field
    color: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Where the land is seen from: camera height above 0, focal length in frame pixels, and the range of distance.

    `x` is the map column straight ahead, `start` the map row that lies at distance 0. `fog` is the distance at
    which two thirds of a thing are lost in haze.
    """

    x: float
    start: float
    rise: float
    focal: float
    near: float
    far: float
    fog: float


def sun_direction(stage: Stage) -> tuple[float, float, float]:
    """Return the direction to the light, right / up / ahead, as one unit long; low suns graze the land."""
    side = (stage.sun[0] - stage.width / 2) / stage.width * 2.4
    if abs(side) < 0.5:
        side = 0.5 if side >= 0 else -0.5
    up = 0.36 + 0.5 * max(stage.palette.sun_height, 0.0)
    ahead = 0.3 if stage.palette.sun_height < 0.3 else -0.25
    vector = np.array([side, up, ahead])
    vector /= np.linalg.norm(vector)
    return float(vector[0]), float(vector[1]), float(vector[2])


def lit_by(stage: Stage, height: Field, *, contrast: float = 1.0) -> Field:
    """Return how much light falls on each place of a height map, 0 to 1, shadows of crests included."""
    right, up, ahead = sun_direction(stage)
    slope_z, slope_x = np.gradient(height)
    length = np.sqrt(slope_x**2 + slope_z**2 + 1.0)
    facing = (-slope_x * right - slope_z * ahead + up) / length
    light = smoothstep(0.12 - 0.25 / contrast, 0.62 + 0.25 / contrast, facing)
    return np.asarray(light * (1.0 - 0.75 * cast_shadow(height, right, up)), np.float32)


def cast_shadow(height: Field, right: float, up: float) -> Field:
    """Return where crests keep the light off, 0 to 1, for light that comes along the rows."""
    fall = np.float32(up / max(abs(right), 0.2))
    ramp = np.arange(height.shape[1], dtype=np.float32) * fall
    if right > 0:
        lifted = (height + ramp)[:, ::-1]
        hidden = (np.maximum.accumulate(lifted, axis=1) - lifted)[:, ::-1]
    else:
        lifted = height + ramp[::-1]
        hidden = np.maximum.accumulate(lifted, axis=1) - lifted
    shadow: Field = blur(smoothstep(0.0, 3.0, hidden).astype(np.float32), 1.0)
    return shadow


def ground_color(stage: Stage, own: Field, light: Field) -> Picture:
    """Return the lit color of ground whose own color is `own`: shade in the ambient tone, light in the key tone."""
    palette = stage.palette
    dim = np.float32(1.0 - 0.35 * palette.overcast)
    key = palette.key * np.float32(0.62 if palette.moon else 1.02) * dim
    shine = palette.ambient * np.float32(0.92) + light[..., None] * (key - palette.ambient * np.float32(0.42))
    return to_picture(own * shine)


def see_land(
    stage: Stage, land: Land, outlook: Outlook, *, depth: float, fog_color: Color | None = None, slices: int = 420
) -> Plate:
    """Return the land between two distances as a plate: what is hidden is left out, haze grows with distance."""
    margin = stage.camera.margin(depth)
    columns = stage.width + 2 * margin
    distance = np.geomspace(outlook.near, outlook.far, slices).astype(np.float32)
    across = (np.arange(columns, dtype=np.float32) - margin - stage.width / 2) / np.float32(outlook.focal)
    map_x = across[None, :] * distance[:, None] + np.float32(outlook.x)
    map_z = np.repeat((distance + np.float32(outlook.start))[:, None], columns, axis=1)
    height = sample(land.height, map_x, map_z)
    row = (np.float32(outlook.rise) - height) * (np.float32(outlook.focal) / distance)[:, None]
    skyline = np.minimum.accumulate(row + np.float32(stage.horizon), axis=0)
    color = sample(land.color, map_x, map_z)
    color = _hazed(color, distance, outlook.fog, stage.palette.haze if fog_color is None else fog_color)
    bottom = stage.height + margin
    top = int(max(-margin, np.floor(skyline.min()) - 2))
    return Plate(_gather(skyline - top, color, bottom - top), -float(margin), float(top), depth)


def _hazed(color: Picture, distance: Field, fog: float, tone: Color) -> Picture:
    """Mix each slice with the color of the air by its distance."""
    part = (1.0 - np.exp(-distance / np.float32(fog)))[:, None, None]
    hazed: Picture = (color * (1.0 - part) + tone * np.float32(255.0) * part + 0.5).astype(np.uint8)
    return hazed


def _gather(skyline: Field, color: Picture, rows: int) -> Picture:
    """Return the picture: for each pixel the nearest slice whose skyline is above it, smoothed over two rows.

    Counting the slices that end above a row, with one histogram for all columns, replaces a search per pixel.
    """
    slices, columns = skyline.shape
    fine = rows * 2
    ends = np.clip(np.ceil(skyline * 2.0), 0, fine).astype(np.int32)
    places = ends * columns + np.arange(columns, dtype=np.int32)
    counts = np.bincount(places.ravel(), minlength=(fine + 1) * columns).reshape(fine + 1, columns)
    index = slices - np.cumsum(counts[:fine], axis=0, dtype=np.int32)
    seen = index < slices
    flat = np.minimum(index, slices - 1) * columns + np.arange(columns, dtype=np.int32)
    picture = np.empty((fine, columns, 4), np.uint8)
    picture[..., :3] = color.reshape(-1, 3)[flat]
    picture[..., 3] = 255
    picture *= seen[..., None].astype(np.uint8)
    shrunk: Picture = resize(picture, columns, rows)
    return shrunk
