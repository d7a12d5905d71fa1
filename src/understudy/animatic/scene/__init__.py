"""Scenes: a shot painted as layered, moving key art."""

from understudy.animatic.scene.build import scene_painter

__all__ = ["scene_painter"]
