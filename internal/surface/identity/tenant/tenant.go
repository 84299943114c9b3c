// Package tenant holds the operations on a tenant itself: its domain names and
// suffixes, its configuration, and the senders its messages leave by.
package tenant
