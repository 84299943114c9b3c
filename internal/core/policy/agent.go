package policy

import "strings"

// System names the operating system of a browser by what it calls itself, in the contract's words; empty when unknown. What
// a browser calls itself is not proof of anything.
func System(agent string) string {
	has := func(words ...string) bool { return containsAny(agent, words...) }
	switch {
	case agent == "":
		return ""
	case has("Windows Phone", "Windows Mobile"):
		return "WindowsMobile"
	case has("iPhone", "iPad", "iPod"):
		return "iOS"
	case has("Android"):
		return "Android"
	case has("Windows"):
		return "Windows"
	case has("Mac OS X", "Macintosh", "Darwin"):
		return "Mac"
	case has("Linux", "X11", "CrOS"):
		return "Linux"
	}
	return ""
}

// Browser names the browser, in the contract's words; Other for one that is none of them, empty when it says nothing.
func Browser(agent string) string {
	has := func(words ...string) bool { return containsAny(agent, words...) }
	switch {
	case agent == "":
		return ""
	case has("Edg/", "Edge/", "EdgA/", "EdgiOS/"):
		return "MicrosoftEdge"
	case has("MSIE ", "Trident/"):
		return "IE"
	case has("OPR/", "Opera", "SamsungBrowser", "Vivaldi", "YaBrowser"):
		return "Other"
	case has("Firefox/", "FxiOS/"):
		return "Firefox"
	case has("Chrome/", "CriOS/", "Chromium/"):
		return "Chrome"
	case has("Safari/"):
		return "Safari"
	}
	return "Other"
}

func containsAny(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
