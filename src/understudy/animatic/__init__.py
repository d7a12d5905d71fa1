"""The built-in renderer: a prompt or a picture becomes a storyboard-like film.

It draws with rules, not with a trained model, and says so on every frame. It knows nothing of tasks, keys or HTTP:
`(prompt or picture, size, seconds, seed) -> MP4` and no more.
"""
