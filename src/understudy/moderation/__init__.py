"""Which prompts are refused: a phrase filter by the operator's policy file; providers may follow behind `Moderator`."""
