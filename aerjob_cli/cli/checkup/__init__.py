"""What `doctor` looks at, a module for each part: the installation, the place of the store, the store, its worker."""
