"""What moves on a terminal while the work goes on: one line under a waiting command, and a whole screen."""
