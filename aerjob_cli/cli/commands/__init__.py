"""One module for each verb or group of verbs: from parsed arguments to a frozen answer. Nothing is printed here."""
