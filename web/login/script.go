package login

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"slices"
	"strings"
)

// goOn leads on as soon as all frames have been loaded. Without scripts there is the link.
const goOn = `addEventListener("load",function(){location.replace(document.querySelector("a.main").href)})`

// signing is what scripts share that have a key sign: d and e are base64url, pack is PublicKeyCredential.toJSON, which not all browsers have.
const signing = `var n=navigator.credentials;` +
	`function d(s){return Uint8Array.from(atob(s.replace(/-/g,"+").replace(/_/g,"/")),function(c){return c.charCodeAt(0)})}` +
	`function e(b){return b?btoa(String.fromCharCode.apply(null,new Uint8Array(b))).replace(/\+/g,"-").replace(/\//g,"_").replace(/=+$/,""):void 0}` +
	`function pack(c){var r=c.response;return JSON.stringify({id:c.id,rawId:e(c.rawId),type:c.type,authenticatorAttachment:c.authenticatorAttachment||void 0,` +
	`clientExtensionResults:{},response:{clientDataJSON:e(r.clientDataJSON),authenticatorData:e(r.authenticatorData),signature:e(r.signature),` +
	`userHandle:e(r.userHandle)}})}`

// useKey has the browser ask for a signature and sends it as the answer: at once, unless there is something else to choose before.
const useKey = `(function(){var f=document.getElementById("key"),w=document.getElementById("failed"),o=JSON.parse(f.dataset.key);` + signing +
	`function go(){w.hidden=true;n.get({publicKey:o}).then(function(c){f.elements.answer.value=pack(c);f.submit()}).catch(function(){w.hidden=false})}` +
	`if(!n||!window.PublicKeyCredential){w.hidden=false;return}` +
	`o.challenge=d(o.challenge);o.allowCredentials.forEach(function(k){k.id=d(k.id)});` +
	`f.addEventListener("submit",function(v){v.preventDefault();go()});if(!f.elements.persist)go()})()`

// offerKeys has the browser offer the passkeys that it finds: among the names that it fills in, as long as the page is open, and by the button. What
// there is to sign is drawn when it is needed, and again before it is too old.
const offerKeys = `(function(){var f=document.getElementById("passkey"),w=document.getElementById("failed"),P=window.PublicKeyCredential,quiet=false,asked=false,stop;` + signing +
	`if(!n||!P)return;f.hidden=false;` +
	`function ask(how){if(stop)stop.abort();var a=stop=new AbortController();return fetch("/login/passkey",{cache:"no-store"}).then(function(r){` +
	`if(!r.ok)throw r;return r.json()}).then(function(o){o.challenge=d(o.challenge);return n.get({publicKey:o,mediation:how,signal:a.signal})})` +
	`.then(function(c){f.elements.answer.value=pack(c);f.submit()})}` +
	`function wait(){if(quiet&&!asked)ask("conditional").catch(function(){})}` +
	`f.addEventListener("submit",function(v){v.preventDefault();w.hidden=true;asked=true;ask("optional").catch(function(){w.hidden=false;asked=false;wait()})});` +
	`if(P.isConditionalMediationAvailable)P.isConditionalMediationAvailable().then(function(y){quiet=y;wait();setInterval(wait,240000)})})()`

// makeKey has the browser make a key and sends what comes of it: at once, and again by the button.
const makeKey = `(function(){var f=document.getElementById("key"),w=document.getElementById("failed"),o=JSON.parse(f.dataset.key);` + signing +
	`function go(){w.hidden=true;n.create({publicKey:o}).then(function(c){var r=c.response;f.elements.answer.value=JSON.stringify({id:c.id,rawId:e(c.rawId),type:c.type,` +
	`authenticatorAttachment:c.authenticatorAttachment||void 0,clientExtensionResults:c.getClientExtensionResults(),response:{clientDataJSON:e(r.clientDataJSON),` +
	`attestationObject:e(r.attestationObject),transports:r.getTransports?r.getTransports():[]}});f.submit()}).catch(function(){w.hidden=false})}` +
	`if(!n||!window.PublicKeyCredential){w.hidden=false;return}` +
	`o.challenge=d(o.challenge);o.user.id=d(o.user.id);o.excludeCredentials.forEach(function(k){k.id=d(k.id)});` +
	`f.addEventListener("submit",function(v){v.preventDefault();go()});go()})()`

// seeOn goes on as soon as what waits was answered elsewhere. Without scripts there is the link.
const seeOn = `(function(){var a=document.getElementById("onward");function go(){fetch("/login/waiting",{cache:"no-store"}).then(function(r){return r.json()})` +
	`.then(function(j){if(j.Waiting)setTimeout(go,2000);else location.replace(a.href)}).catch(function(){setTimeout(go,5000)})}setTimeout(go,2000)})()`

// Script asks for a signature, or goes on when another device has answered; empty: there is nothing to be done yet.
func (v Step) Script() template.JS {
	if (v.Kind == Push || v.Kind == Scan) && v.Number != "" {
		return seeOn
	}
	if v.Kind != Key || v.Key == "" {
		return ""
	}
	return useKey
}

// Script offers passkeys.
func (Name) Script() template.JS { return offerKeys }

// GoOn is the script of a page that leads on by itself; empty: it stays.
func (v Left) GoOn() template.JS {
	if v.To == "" || len(v.Frames) == 0 {
		return ""
	}
	return goOn
}

// Directives are what a page needs of a policy besides what all pages do.
func Directives(v View) (out []string) {
	if step, ok := v.(Step); ok && step.Script() != "" {
		out = []string{allow(string(step.Script()))}
		if step.Kind != Key {
			out = append(out, "connect-src 'self'")
		}
		return out
	}
	if _, ok := v.(Name); ok {
		return []string{allow(offerKeys), "connect-src 'self'"}
	}
	if w, ok := v.(Widget); ok {
		return w.directives()
	}
	if one, ok := v.(SignUp); ok && one.Script() != "" {
		return []string{allow(work), "connect-src 'self'"}
	}
	if _, ok := v.(Registering); ok {
		return []string{allow(makeKey)}
	}
	if _, ok := v.(Authenticator); ok {
		return []string{"script-src 'self'", "connect-src 'self'", "worker-src 'self'", "manifest-src 'self'", "img-src 'self'"}
	}
	left, ok := v.(Left)
	if !ok || len(left.Frames) == 0 {
		return nil
	}
	var sources []string
	for _, f := range left.Frames {
		sources = append(sources, f.Source)
	}
	slices.Sort(sources)
	out = append(out, "frame-src "+strings.Join(slices.Compact(sources), " "))
	if left.GoOn() != "" {
		out = append(out, allow(goOn))
	}
	return out
}

// allow is the directive that allows one script.
func allow(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
