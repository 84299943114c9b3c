package audit

import "strings"

// device tells from a User-Agent header which system a request came from, in the Event table's words: Windows, Mac, iOS,
// Android, Linux or Unknown; and whether it is a phone or tablet. The header is the client's claim, no more.
func device(agent string) (os string, mobile bool) {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(agent, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("iPhone", "iPad", "iPod", "CFNetwork/") && !has("Macintosh"):
		return "iOS", true
	case has("Android"):
		return "Android", true
	case has("Windows Phone"):
		return "Windows", true
	case has("Windows"):
		return "Windows", false
	case has("Macintosh", "Mac OS X", "Darwin/"):
		return "Mac", false
	case has("Linux", "X11", "CrOS"):
		return "Linux", has("Mobile")
	}
	return "Unknown", has("Mobile")
}
