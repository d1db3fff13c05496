"""What the warehouse computes outside SQL: arrays in, arrays out, with the functions that the scorer uses live."""
