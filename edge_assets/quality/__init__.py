"""What has to hold of the data before anything is made of it: of single prices, and of many together."""
