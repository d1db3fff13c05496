"""What the warehouse computes outside SQL: arrays in, arrays out, by the functions that the scorer uses live."""
