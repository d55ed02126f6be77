"""The frozen answers of the commands: their JSON form and their lines of plain text."""
