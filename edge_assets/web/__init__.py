"""The guard of each web server: who may send requests, and what a browser may do with the response."""
