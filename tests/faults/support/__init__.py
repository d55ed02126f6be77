"""What the tests of faults share: faults that strike at a chosen point, and accounts of what is left after them."""
