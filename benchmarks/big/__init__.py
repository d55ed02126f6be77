"""Big circuits: a durable job against Aer alone, and results of hundreds of MB against the disk."""
