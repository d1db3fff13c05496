"""What has to hold of the data before anything is made of it: single prices by quarantine, the whole by canaries."""
