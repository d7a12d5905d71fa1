"""What comes in and what goes out: checking a caller's image, inspecting a finished film.

Every decoder runs in a child process of `sandbox`; what runs there is in the files named `in_child_…`.
"""
