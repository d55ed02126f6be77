"""How good the estimates of memory are."""
