package rpc

// Envelope is the answer of every JSON operation (users.yaml, head, ENVELOPE).
type Envelope struct {
	Success         bool
	Result          any
	Message         *string
	MessageID       *string
	Exception       *string
	ErrorID         *string
	ErrorCode       *string
	IsSoftError     bool
	InnerExceptions any

	ErrorMessage *string // a tenth key, error_message, that only the 401 has; left out when nil
}

// AppendEnvelope appends e as JSON, all nine keys in the order of the wire, nulls included. When Result or
// InnerExceptions cannot be written it returns dst as it was, and the error.
func AppendEnvelope(dst []byte, e Envelope) ([]byte, error) {
	var err error
	out := append(dst, `{"success":`...)
	if e.Success {
		out = append(out, `true,"Result":`...)
	} else {
		out = append(out, `false,"Result":`...)
	}
	if out, err = appendValue(out, e.Result); err != nil {
		return dst, err
	}
	out = appendText(append(out, `,"Message":`...), e.Message)
	out = appendText(append(out, `,"MessageID":`...), e.MessageID)
	out = appendText(append(out, `,"Exception":`...), e.Exception)
	out = appendText(append(out, `,"ErrorID":`...), e.ErrorID)
	out = appendText(append(out, `,"ErrorCode":`...), e.ErrorCode)
	if e.IsSoftError {
		out = append(out, `,"IsSoftError":true,"InnerExceptions":`...)
	} else {
		out = append(out, `,"IsSoftError":false,"InnerExceptions":`...)
	}
	if out, err = appendValue(out, e.InnerExceptions); err != nil {
		return dst, err
	}
	if e.ErrorMessage != nil {
		out = appendText(append(out, `,"error_message":`...), e.ErrorMessage)
	}
	return append(out, '}'), nil
}
