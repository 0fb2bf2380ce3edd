// Package twins shows that what lies above a cell cannot be told from below.
//
// Two brokers, each the whole of Watchfloor over real sockets, get the same
// traffic of the low cells, step by step, by the same stepped clock. One of them
// also gets intelligence traffic, made to be noticed. Whatever the servers write
// to any low credential is kept, byte by byte, and compared.
//
// This file's package holds what compares: tapes, and the list of what is
// masked. The worlds, the traffic and the planted leaks are its tests, for
// nothing of them belongs in a program. DESIGN.md says what is compared, and what
// remains to be seen from below.
package twins
