// Package course is how far a query has come, how fast it goes and when it will end, in
// the words in which people are told of it. What is made of them is the matter of who
// shows them: a line in a terminal (live), a bar in a notebook.
package course
