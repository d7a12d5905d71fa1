"""The camera of a shot: where it stands at each frame, eased in and out."""

import math
from dataclasses import dataclass

from understudy.animatic.scene.raster import Affine
from understudy.animatic.storyboard import Move


@dataclass(frozen=True, slots=True)
class Pose:
    """The camera at one frame: pixels to the right and down of the middle, and zoom (1 or more)."""

    right: float
    down: float
    zoom: float


@dataclass(frozen=True, slots=True)
class Camera:
    """A move over `frames` frames of `width` x `height` pixels around a focus point.

    Things at depth 0 (sky) stand still, things at depth 1 (figures) move fully, foreground moves more.
    """

    move: Move
    frames: int
    width: int
    height: int
    focus_x: float
    focus_y: float
    strength: float = 1.0

    def pose(self, frame: int) -> Pose:
        """Return where the camera is at `frame`; before the first and after the last frame it rests."""
        progress = frame / max(self.frames - 1, 1)
        eased = _ease(min(max(progress, 0.0), 1.0))
        swing = (eased - 0.5) * 2.0
        reach = self.strength * 0.042 * math.sqrt(self.width * self.height)
        drift = 1.0 + 0.012 * eased
        steady = {
            Move.PUSH_IN: Pose(0.0, 0.0, 1.0 + 0.14 * self.strength * eased),
            Move.PULL_OUT: Pose(0.0, 0.0, 1.0 + 0.14 * self.strength * (1.0 - eased)),
            Move.PAN_LEFT: Pose(-swing * reach, 0.0, 1.0),
            Move.PAN_RIGHT: Pose(swing * reach, 0.0, 1.0),
            Move.TILT_UP: Pose(0.0, -swing * reach * 0.8, 1.0),
            Move.TILT_DOWN: Pose(0.0, swing * reach * 0.8, 1.0),
            Move.AERIAL: Pose(swing * reach * 0.35, -swing * reach * 0.5, 1.0 + 0.09 * eased),
        }
        if self.move is Move.HANDHELD:
            return _shake(frame, reach * 0.16, drift + 0.01)
        return steady.get(self.move, Pose(0.0, 0.0, drift))

    def place(self, pose: Pose, depth: float) -> Affine:
        """Return the affine that carries a point of the resting frame to its place, for things at `depth`."""
        scale = 1.0 + (pose.zoom - 1.0) * depth
        return (
            scale,
            self.focus_x * (1.0 - scale) - pose.right * depth,
            self.focus_y * (1.0 - scale) - pose.down * depth,
        )

    def margin(self, depth: float) -> int:
        """Return by how many pixels a layer at `depth` must be larger than the frame on each side."""
        reach = 0.0
        if self.move is Move.HANDHELD:
            reach = 0.012
        elif self.move not in {Move.PUSH_IN, Move.PULL_OUT, Move.STILL}:
            reach = 0.042
        return math.ceil(self.strength * reach * depth * math.sqrt(self.width * self.height)) + 2


def _ease(part: float) -> float:
    """Start and end softly but never stand still for long: half a straight line, half an S."""
    soft = part * part * part * (part * (6.0 * part - 15.0) + 10.0)
    return 0.35 * part + 0.65 * soft


def _shake(frame: int, reach: float, zoom: float) -> Pose:
    """Return a pose that breathes like a hand: sums of slow waves of unlike lengths."""
    seconds = frame / 24.0
    right = math.sin(seconds * 2.1) + 0.6 * math.sin(seconds * 3.7 + 1.0) + 0.25 * math.sin(seconds * 9.1)
    down = math.sin(seconds * 1.7 + 2.0) + 0.6 * math.sin(seconds * 4.3) + 0.25 * math.sin(seconds * 8.3 + 1.0)
    return Pose(right * reach / 1.85, down * reach / 1.85, zoom)
