package portal

import (
	"regexp"
	"slices"

	"limen/internal/fault"
)

// set changes what is given. How a page is known and its pattern go together.
func (e *entry) set(s Settings) error {
	if s.Matching != nil {
		if *s.Matching != "" && !slices.Contains(Matchings, *s.Matching) {
			return ErrMatching.At("UrlMatchDetection")
		}
		e.Matching = *s.Matching
	}
	if s.Pattern != nil {
		if !plain(*s.Pattern, maxPattern) {
			return ErrSize.At("MatchPattern").Say("A pattern may have %d bytes and no control characters.", maxPattern)
		}
		e.Pattern = *s.Pattern
	}
	if e.Matching == "RegularExpression" {
		if _, err := regexp.Compile(e.Pattern); err != nil {
			return ErrPattern.At("MatchPattern")
		}
	}
	if s.Rank != nil {
		if *s.Rank < 0 || *s.Rank > unranked {
			return fault.Bad("Rank", "must be 0 to %d", unranked)
		}
		e.Place = *s.Rank
	}
	return nil
}
