package login

import "html/template"

// SignUp are the pages on which a stranger registers.
type SignUp struct {
	Step string // ask, code, done, waits

	Mail, Given, Family string // as entered before
	Rules               []Rule // for the password
	Work                bool   // the browser works as its proof that it is no cheap program
	Terms               *Text  // to be agreed to with the code; nil: none
	Account             string // login name
	Chosen              bool   // the password is the one that was entered; else a mail brings a link for choosing one
	Code                string // fault code of what is wrong; empty: nothing
	Reason              string
	Field               string // that the mistake is in: mail, password; empty: in none of them
}

// Names are the pages on which people have their user names sent.
type Names struct {
	Told   bool
	Code   string // fault code of what is wrong; empty: nothing
	Reason string
}

func (SignUp) page() shape { return shape{name: "signup"} }
func (Names) page() shape  { return shape{name: "username"} }

// Heading is the key of the page's heading.
func (v SignUp) Heading() string { return "signup." + v.Step }

// work has the browser find the number that a challenge asks for while the form is filled in, and sends the form when it has.
const work = `(function(){var f=document.getElementById("signup"),w=document.getElementById("failed"),t=document.getElementById("working"),b=f.querySelector("button"),sent=false,K=[],H=[],i,j,p;` +
	`for(p=2;K.length<64;p++){for(j=2;j*j<=p&&p%j;j++);if(j*j>p){if(H.length<8)H.push(Math.pow(p,.5)%1*4294967296|0);K.push(Math.pow(p,1/3)%1*4294967296|0)}}` +
	`function sha(s){var n=s.length,l=(n+8>>6)+1<<4,m=new Array(l).fill(0),h=H.slice(),x=[],i,k,a,u,v;for(i=0;i<n;i++)m[i>>2]|=s.charCodeAt(i)<<24-8*(i&3);` +
	`m[n>>2]|=128<<24-8*(n&3);m[l-1]=8*n;for(k=0;k<l;k+=16){a=h.slice();for(i=0;i<64;i++){if(i<16)x[i]=m[k+i];else{u=x[i-15];v=x[i-2];` +
	`x[i]=x[i-16]+((u>>>7|u<<25)^(u>>>18|u<<14)^u>>>3)+x[i-7]+((v>>>17|v<<15)^(v>>>19|v<<13)^v>>>10)|0}` +
	`u=a[7]+((a[4]>>>6|a[4]<<26)^(a[4]>>>11|a[4]<<21)^(a[4]>>>25|a[4]<<7))+(a[4]&a[5]^~a[4]&a[6])+K[i]+x[i]|0;` +
	`v=((a[0]>>>2|a[0]<<30)^(a[0]>>>13|a[0]<<19)^(a[0]>>>22|a[0]<<10))+(a[0]&a[1]^a[0]&a[2]^a[1]&a[2])|0;` +
	`a=[u+v|0,a[0],a[1],a[2],a[3]+u|0,a[4],a[5],a[6]]}for(i=0;i<8;i++)h[i]=h[i]+a[i]|0}` +
	`return h.map(function(z){return(z>>>0).toString(16).padStart(8,"0")}).join("")}` +
	`function go(){fetch("/Captcha/Challenge",{cache:"no-store"}).then(function(r){if(!r.ok)throw r;return r.json()}).then(function(c){var n=0;` +
	`(function some(){for(var e=n+1500;n<e&&n<=c.maxnumber;n++)if(sha(c.salt+n)===c.challenge){f.elements.captcha.value=btoa(JSON.stringify({algorithm:c.algorithm,challenge:c.challenge,number:n,salt:c.salt,signature:c.signature}));` +
	`t.hidden=true;if(sent)f.submit();return}if(n<=c.maxnumber)setTimeout(some,0);else w.hidden=false})()}).catch(function(){t.hidden=true;w.hidden=false})}` +
	`f.addEventListener("submit",function(v){if(f.elements.captcha.value)return;v.preventDefault();sent=true;b.disabled=true;t.hidden=false});go()})()`

// Script does the work of a CAPTCHA; empty: there is none to be done.
func (v SignUp) Script() template.JS {
	if !v.Work || v.Step != "ask" {
		return ""
	}
	return work
}
