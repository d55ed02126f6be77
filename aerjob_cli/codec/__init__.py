"""What crosses between aerjob and bytes: circuits, options, results. Knows no store and no process."""
