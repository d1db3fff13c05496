"""What stands before each of the web servers: who may ask, and what a browser may do with the answer."""
