"""What is true with the network unplugged: tasks and their states, requests, the catalogue, ids, the error tree."""
