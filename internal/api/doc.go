// Package api answers questions about the event store by HTTP: /api/v1/ for
// programs and / for people. It only reads. Whoever can connect may be hostile,
// and so is the text in the store.
package api
