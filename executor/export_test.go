package executor

// Machine lets tests store what is found for this machine.
var Machine = machine
