package radius

import (
	"container/list"
	"crypto/rand"
	"net/netip"
	"sync"
	"time"

	"limen/internal/core/radius"
	"limen/internal/wire/eap"
	"limen/internal/wire/mschap"
)

// Bounds of conversations of EAP, which live in the memory of the node that began them.
const (
	maxTalks  = 2000            // at once
	maxOfOne  = 200             // of those, of one client
	talkIdle  = time.Minute     // between two packets
	talkLife  = 5 * time.Minute // in all
	maxRounds = 150             // packets of one: enough for the longest message of the smallest common size
)

// talk is a conversation of EAP with somebody at a client. Whoever took it out of talks has it alone.
type talk struct {
	client, tenant string // whose it is
	from           netip.Addr
	began          time.Time
	rounds         int

	id      byte       // of the request that waits for a response
	methods []eap.Type // that the tenant allows
	network bool       // it allows network passwords, for which MS-CHAP is spoken in a tunnel
	method  eap.Type   // 0: the identity was asked for
	refused bool       // a method was, by the peer: it may do so once
	tunnel  *eap.Tunnel
	in      eap.Assembler
	out     eap.Queue
	receive []byte // keys that the client is told
	send    []byte
	done    bool      // hands were shaken in the tunnel, and what follows that has happened
	failing bool      // the peer was told why, and hears now that it has failed
	phase   phase     // of PEAP
	user    string    // the name that was given in the tunnel
	asked   string    // State of the conversation in which a further factor was asked for
	let     *Decision // the person is let in, once the peer has heard of it

	challenge   mschap.Challenge // of MS-CHAP within PEAP
	challengeID byte

	state string
	at    *list.Element // in the list of its client
	timer *time.Timer
}

func (t *talk) close() {
	if t.tunnel != nil {
		t.tunnel.Close()
	}
}

// talks are the conversations that wait for a packet.
type talks struct {
	mu  sync.Mutex
	all map[string]*talk      // by State
	of  map[string]*list.List // by client, the one that has waited longest first
}

// begin begins a conversation, which waits for nothing yet.
func (ts *talks) begin(k radius.Known, from netip.Addr) *talk {
	return &talk{client: k.ID, tenant: k.Tenant, from: from, began: time.Now()}
}

// put has a conversation wait for a packet, and gives the State by which that names it: another one each time, so that nothing is taken twice.
func (ts *talks) put(t *talk) string {
	t.state = rand.Text() + rand.Text()
	ts.restore(t)
	return t.state
}

// restore has a conversation wait under the State that it has. Where there are too many, the one that has waited longest of the same client
// goes, or of the client that has most.
func (ts *talks) restore(t *talk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.all == nil {
		ts.all, ts.of = map[string]*talk{}, map[string]*list.List{}
	}
	own := ts.of[t.client]
	if own == nil {
		own = list.New()
		ts.of[t.client] = own
	}
	switch {
	case own.Len() >= maxOfOne:
		ts.drop(own.Front().Value.(*talk))
	case len(ts.all) >= maxTalks:
		ts.drop(ts.longest().Front().Value.(*talk))
	}
	ts.all[t.state] = t
	if own = ts.of[t.client]; own == nil { // what was dropped was its last
		own = list.New()
		ts.of[t.client] = own
	}
	t.at = own.PushBack(t)
	t.timer = time.AfterFunc(min(talkIdle, time.Until(t.began.Add(talkLife))), func() { ts.expire(t) })
}

// take gives the conversation of a State, which only the client that it was told has, from the same address; nil: there is none. It
// does not wait any more.
func (ts *talks) take(state string, k radius.Known, from netip.Addr) *talk {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.all[state]
	if t == nil || t.client != k.ID || t.tenant != k.Tenant || t.from != from {
		return nil
	}
	ts.remove(t)
	return t
}

func (ts *talks) expire(t *talk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if t.at != nil {
		ts.drop(t)
	}
}

func (ts *talks) drop(t *talk) {
	ts.remove(t)
	t.close()
}

func (ts *talks) remove(t *talk) {
	t.timer.Stop()
	delete(ts.all, t.state)
	own := ts.of[t.client]
	own.Remove(t.at)
	if t.at = nil; own.Len() == 0 {
		delete(ts.of, t.client)
	}
}

func (ts *talks) longest() (most *list.List) {
	for _, l := range ts.of {
		if most == nil || l.Len() > most.Len() {
			most = l
		}
	}
	return most
}
