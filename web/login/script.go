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

// useKey has the browser ask for a signature and sends it as the answer: at once, unless there is something else to choose before.
const useKey = `(function(){var f=document.getElementById("key"),w=document.getElementById("failed"),o=JSON.parse(f.dataset.key),n=navigator.credentials;` +
	`function d(s){return Uint8Array.from(atob(s.replace(/-/g,"+").replace(/_/g,"/")),function(c){return c.charCodeAt(0)})}` +
	`function e(b){return b?btoa(String.fromCharCode.apply(null,new Uint8Array(b))).replace(/\+/g,"-").replace(/\//g,"_").replace(/=+$/,""):void 0}` +
	`function go(){w.hidden=true;n.get({publicKey:o}).then(function(c){var r=c.response;f.elements.answer.value=JSON.stringify({id:c.id,rawId:e(c.rawId),` +
	`type:c.type,authenticatorAttachment:c.authenticatorAttachment||void 0,clientExtensionResults:{},response:{clientDataJSON:e(r.clientDataJSON),` +
	`authenticatorData:e(r.authenticatorData),signature:e(r.signature),userHandle:e(r.userHandle)}});f.submit()}).catch(function(){w.hidden=false})}` +
	`if(!n||!window.PublicKeyCredential){w.hidden=false;return}` +
	`o.challenge=d(o.challenge);o.allowCredentials.forEach(function(k){k.id=d(k.id)});` +
	`f.addEventListener("submit",function(v){v.preventDefault();go()});if(!f.elements.persist)go()})()`

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
