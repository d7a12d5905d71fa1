"""One attempt at telling a callback: signing, sending, and when to try again (`contract.md` §4)."""
