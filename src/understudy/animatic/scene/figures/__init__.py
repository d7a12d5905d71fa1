"""The figures that a scene can draw, by name."""

from understudy.animatic.scene.figures.beasts import BEASTS
from understudy.animatic.scene.figures.buildings import BUILDINGS
from understudy.animatic.scene.figures.craft import CRAFT
from understudy.animatic.scene.figures.flyers import FLYERS
from understudy.animatic.scene.figures.kind import Kind
from understudy.animatic.scene.figures.people import PEOPLE
from understudy.animatic.scene.figures.plants import PLANTS
from understudy.animatic.scene.figures.sealife import SEALIFE
from understudy.animatic.scene.figures.small import SMALL
from understudy.animatic.scene.figures.vehicles import VEHICLES

KINDS: dict[str, Kind] = {**PEOPLE, **BEASTS, **SMALL, **FLYERS, **SEALIFE, **VEHICLES, **CRAFT, **BUILDINGS, **PLANTS}
"""Every figure with a body; sky shows such as an aurora are in `effects`."""
