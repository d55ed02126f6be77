"""Results as pictures, drawn by matplotlib without a display. Only `aerjob plot` imports these modules."""
