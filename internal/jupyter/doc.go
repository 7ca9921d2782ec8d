// Package jupyter speaks the messaging protocol of Jupyter, version 5.3, for any
// [Kernel]: sockets, signatures, the order of messages. What a cell means, and
// what its answer looks like, it does not know.
//
// # Five sockets
//
// A front end starts the kernel with a connection file, [Connection], which names
// five ports and a key. All are bound to the loopback interface; a file that asks
// for another address is refused.
//
//	shell    ROUTER  requests, answered one after another
//	control  ROUTER  interrupt and shutdown, answered while the shell is busy
//	iopub    PUB     what everyone may see: busy, outputs, errors, idle
//	stdin    ROUTER  bound since clients connect to it; this kernel never asks
//	heartbeat ROUTER an echo
//
// # A message
//
// is frames: the peers' identities, a delimiter, the signature, then header, parent
// header, metadata and content in JSON. The signature is the HMAC-SHA256 of the last
// four, of the very bytes that are sent. A message whose signature is wrong is
// dropped and told on the log; nothing of it is looked at before. An answer's parent
// header is the request's header byte by byte, as some clients compare it.
//
// # Order
//
//	shell reader ──▶ queue ──▶ worker: busy, Kernel.Execute, reply, idle
//	                             ▲ cancel
//	control ── interrupt ────────┘
//
// The reader only fills the queue, so that after a failed cell the worker can answer
// all that was queued behind it with "aborted", as a front end that has sent a whole
// notebook expects. [Output] gathers text for a tenth of a second: a subscriber gets
// few large messages, not many small ones.
//
// # The library
//
// zmq4 v0.17.0 is pinned: later versions drop what is published while many messages
// are under way, and a cell would then never seem to end. It trusts who connects: it
// would wait without end for a greeting, or for a subscriber that does not read, and
// take as much memory as a frame claims to need. So its connections are watched
// (guard.go), and those of clients that are silent, deaf or absurd are closed.
//
// # Ending
//
// [Serve] returns after a shutdown request, or when its context ends; [WithParent]
// ends one when the process that started the kernel is gone, however it went. It
// waits a moment, so that the last replies leave, and never longer than a few
// seconds for a kernel that does not stop.
package jupyter
