// Package web serves HTTP: certificates that renew themselves, a server with limits that stops without dropping
// requests, and the workers that live as long as it does.
package web

import "limen/internal/fault"

// Faults of starting.
var (
	ErrTLS    = fault.New(fault.Internal, "tls.unusable", "The TLS settings cannot be used.")
	ErrListen = fault.New(fault.Internal, "listen.failed", "The server cannot listen on its address.")
	ErrWorker = fault.New(fault.Internal, "worker.failed", "A background worker has failed.")
)
