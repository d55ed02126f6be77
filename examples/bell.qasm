// A Bell pair: the two outcomes 00 and 11 come up about equally often, 01 and 10 never.
OPENQASM 2.0;
include "qelib1.inc";

qreg pair[2];
creg outcome[2];

h pair[0];
cx pair[0], pair[1];
measure pair -> outcome;
