"""The lexicon: which words of a prompt name a place, an hour, a weather, a camera move or a figure.

English, Chinese (simplified and traditional), Japanese and Korean. The words are data, one TOML file a language.
"""

from understudy.animatic.lexicon.match import Mention, mentions
from understudy.animatic.lexicon.reading import Figure, Reading, read

__all__ = ["Figure", "Mention", "Reading", "mentions", "read"]
