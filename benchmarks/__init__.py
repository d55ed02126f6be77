"""What is measured of aerjob, and how long it bears to be disturbed. Not part of what is installed."""
