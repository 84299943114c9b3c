package captcha

// Parsed gives what is read of an answer.
func Parsed(answer string) (number int64, salt string, ok bool) {
	s, ok := parse(answer)
	return s.Number, s.Salt, ok
}
