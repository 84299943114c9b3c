// Package rpc is the codec of the RPC dialect (POST /Area/Operation): it binds a request's parameters to a Go struct
// the way the dialect's clients expect, and writes the nine-key envelope of the answer. Everything here is a pure
// function of its arguments.
//
// The reader is lenient because real clients are (contract: users.yaml, head, "PARAMETER BINDING" and "ARGS";
// authentication.yaml, first entry): parameters come from the path, the query string, a form or the body, names match
// without regard to ASCII case, numbers and booleans may be strings, JSON may have single quotes, bare keys, comments
// and trailing commas, and may travel under a form content type. It is strict about what could be read in two ways:
// a name given twice in different case, or with different values, is refused.
package rpc
