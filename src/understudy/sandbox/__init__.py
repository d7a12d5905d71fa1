"""Work that may crash, hang or eat memory, done in a limited child process.

It knows nothing of pictures or films: `runner.Sandbox` starts a child, `child` is what runs there, `errors` is how it
can go wrong. A decoder that a stranger's file breaks takes its child with it and nothing else.
"""
