"""The figures that aerjob is to reach, measured side by side with its peers in one run."""
