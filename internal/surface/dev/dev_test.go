package dev

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/op"
)

func TestTrayShowsNewestFirstAndForgets(t *testing.T) {
	tray := &Tray{}
	for i := range kept + 3 {
		tray.Put(Message{At: time.UnixMilli(int64(i)), To: "a@example.com", Text: "<b>1</b>"})
	}
	tray.Put(Message{To: "b@example.com"})
	all := tray.To("")
	if len(all) != kept || all[0].To != "b@example.com" || all[1].At.UnixMilli() != kept+2 || len(tray.To("b@example.com")) != 1 {
		t.Fatal(len(all), all[:2])
	}
	out := Outbox{tray}
	here := &op.Call{Client: call.Client{IP: netip.MustParseAddr("127.0.0.1")}}
	p, err := out.Page(t.Context(), here, Filter{})
	if err != nil || !strings.Contains(string(p.HTML), "&lt;b&gt;1") {
		t.Fatal(err, string(p.HTML))
	}
	away := &op.Call{Client: call.Client{IP: netip.MustParseAddr("192.0.2.1")}}
	if _, err := out.List(t.Context(), away, Filter{}); !errors.Is(err, ErrElsewhere) {
		t.Fatal("a caller from elsewhere reads the codes:", err)
	}
}
