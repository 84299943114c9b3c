// Package outboundtest is a SCIM service elsewhere for tests, which can fail as such services do.
package outboundtest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/outbound"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// Service is one. Its fields are set, and read, under its lock.
type Service struct {
	sync.Mutex
	Have  map[string]map[string]scim.Object // by Users and Groups, and ids
	ETags bool
	// Fail answers in place of the service; nil: it answers itself. After has it do what it is asked first.
	Fail  func(method, path string) *outbound.Answer
	After bool
	// Wait is called before anything happens, without the lock; nil: nothing is.
	Wait func(method, path string)

	n     int
	asked []string
}

var (
	services sync.Map // by host
	routed   sync.Map // whose requests go to these
)

// Serve starts one, at the address that it gives.
func Serve(a *outbound.Outbound, name string) (*Service, string) {
	s := &Service{Have: map[string]map[string]scim.Object{"Users": {}, "Groups": {}}}
	host := name + ".example"
	services.Store(host, s)
	if _, known := routed.LoadOrStore(a, true); !known {
		a.Send = func(_ context.Context, r outbound.Request) (outbound.Answer, error) {
			u, err := url.Parse(r.URL)
			if err != nil {
				return outbound.Answer{}, err
			}
			to, ok := services.Load(u.Host)
			if !ok {
				return outbound.Answer{}, fault.New(fault.Unavailable, "egress.unreachable", "The address does not answer.")
			}
			return to.(*Service).answer(r, u)
		}
	}
	return s, "https://" + host + "/v2"
}

func (s *Service) answer(r outbound.Request, u *url.URL) (outbound.Answer, error) {
	path := strings.TrimPrefix(u.Path, "/v2")
	if s.Wait != nil {
		s.Wait(r.Method, path)
	}
	s.Lock()
	defer s.Unlock()
	s.asked = append(s.asked, r.Method+" "+path)
	var failed *outbound.Answer
	if s.Fail != nil {
		failed = s.Fail(r.Method, path)
	}
	if failed != nil && !s.After {
		return *failed, nil
	}
	out := s.do(r, path, u.Query())
	if failed != nil {
		return *failed, nil
	}
	return out, nil
}

func said(status int, o any) outbound.Answer {
	b, _ := json.Marshal(o)
	return outbound.Answer{Status: status, Header: http.Header{}, Body: b}
}

// Refusal is an answer with an error.
func Refusal(status int) *outbound.Answer {
	a := said(status, scim.Object{"detail": "no " + strconv.Itoa(status)})
	return &a
}

func (s *Service) do(r outbound.Request, path string, q url.Values) outbound.Answer {
	if r.Header.Get("Authorization") != "Bearer right" {
		return *Refusal(401)
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if path == "/ServiceProviderConfig" {
		return said(200, scim.Object{"patch": scim.Object{"supported": true}, "etag": scim.Object{"supported": s.ETags}})
	}
	all := s.Have[parts[0]]
	if all == nil {
		return *Refusal(404)
	}
	var body scim.Object
	_ = json.Unmarshal(r.Body, &body)
	if len(parts) == 1 && r.Method == http.MethodPost {
		name, _ := body["userName"].(string)
		for _, o := range all {
			if have, _ := o["userName"].(string); have != "" && strings.EqualFold(have, name) {
				return *Refusal(409)
			}
		}
		id := call.NewID(time.Now(), rand.Reader)
		body["id"] = id
		s.put(all, id, body)
		return s.one(201, all[id])
	}
	if len(parts) == 1 {
		return s.list(all, q)
	}
	o, ok := all[parts[1]]
	if !ok {
		return *Refusal(404)
	}
	if m := r.Header.Get("If-Match"); m != "" && m != scim.Version(nil, o) {
		return *Refusal(412)
	}
	switch r.Method {
	case http.MethodDelete:
		delete(all, parts[1])
		return outbound.Answer{Status: 204, Header: http.Header{}}
	case http.MethodPut:
		body["id"] = parts[1]
		s.put(all, parts[1], body)
	case http.MethodPatch:
		o = maps.Clone(o)
		if err := patched(o, body); err != nil {
			return *Refusal(400)
		}
		s.put(all, parts[1], o)
	}
	return s.one(200, all[parts[1]])
}

// put keeps a resource under a new version.
func (s *Service) put(all map[string]scim.Object, id string, o scim.Object) {
	b, _ := json.Marshal(o)
	var n scim.Object
	_ = json.Unmarshal(b, &n)
	if s.ETags {
		s.n++
		n["meta"] = scim.Object{"version": fmt.Sprintf(`W/"%d"`, s.n)}
	}
	all[id] = n
}

func (s *Service) one(status int, o scim.Object) outbound.Answer {
	a := said(status, o)
	if tag := scim.Version(nil, o); tag != "" {
		a.Header.Set("ETag", tag)
	}
	return a
}

// patched makes the operations; those on members of groups name a value.
func patched(o, body scim.Object) error {
	ops, _ := body["Operations"].([]any)
	for _, x := range ops {
		op, _ := x.(scim.Object)
		path, _ := op["path"].(string)
		switch verb := op["op"]; {
		case path == "members" && verb == "add":
			have, _ := o["members"].([]any)
			more, _ := op["value"].([]any)
			o["members"] = append(slices.Clone(have), more...)
		case strings.HasPrefix(path, "members[value eq "):
			id := strings.Trim(strings.TrimSuffix(strings.TrimPrefix(path, "members[value eq "), "]"), `"`)
			have, _ := o["members"].([]any)
			o["members"] = slices.DeleteFunc(slices.Clone(have), func(m any) bool { return m.(scim.Object)["value"] == id })
		case verb == "remove":
			scim.Assign(o, path, nil)
		case path == "":
			return fmt.Errorf("no path")
		default:
			scim.Assign(o, path, op["value"])
		}
	}
	return nil
}

func (s *Service) list(all map[string]scim.Object, q url.Values) outbound.Answer {
	attribute, rest, _ := strings.Cut(q.Get("filter"), " eq ")
	want := ""
	_ = json.Unmarshal([]byte(rest), &want)
	var found []any
	for _, id := range slices.Sorted(maps.Keys(all)) {
		have, _ := all[id][attribute].(string)
		if attribute == "" || strings.EqualFold(have, want) {
			found = append(found, all[id])
		}
	}
	start, _ := strconv.Atoi(q.Get("startIndex"))
	count, _ := strconv.Atoi(q.Get("count"))
	total := len(found)
	found = found[min(max(start-1, 0), total):]
	found = found[:min(count, len(found))]
	return said(200, scim.Object{"totalResults": total, "startIndex": start, "itemsPerPage": len(found), "Resources": found})
}

// User is the account with a name; nil: there is none. Two of them are a failure.
func (s *Service) User(t *testing.T, name string) scim.Object {
	t.Helper()
	s.Lock()
	defer s.Unlock()
	var out scim.Object
	for _, o := range s.Have["Users"] {
		if have, _ := o["userName"].(string); strings.EqualFold(have, name) {
			if out != nil {
				t.Fatalf("there are two accounts of %s", name)
			}
			out = maps.Clone(o)
		}
	}
	return out
}

// Told is what was asked since, without the reading.
func (s *Service) Told() []string {
	s.Lock()
	defer s.Unlock()
	out := slices.DeleteFunc(s.asked, func(a string) bool { return strings.HasPrefix(a, "GET ") })
	s.asked = nil
	return out
}
